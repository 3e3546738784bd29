//! Reasons about a selection that selects nothing, such as a misspelt filter.

use crate::policy::Policy;
use crate::record::{Plan, PlannedCheck};

/// One text for each selected suite and each filter without a check in the profile of the run.
pub(super) fn empty_selections(plan: &Plan, policy: &Policy) -> Vec<String> {
    let profile = plan.profile;
    let is_included = |check: &&PlannedCheck| policy.includes(profile, check);
    let suites = plan.selection.suites.iter().filter_map(|suite| {
        let mut checks = plan.checks.iter().filter(|check| check.id.suite() == suite);
        if checks.clone().next().is_none() {
            return Some(format!("no check belongs to suite '{suite}'"));
        }
        let is_empty = !checks.any(|check| is_included(&check));
        is_empty.then(|| format!("no check of suite '{suite}' is in profile {profile}"))
    });
    let filters = plan.selection.filters.iter().filter_map(|filter| {
        let mut matches = checks_of_suites(plan).filter(|check| check.id.as_str().contains(filter));
        if matches.clone().next().is_none() {
            return Some(format!("no check{} matches '{filter}'", scope(plan)));
        }
        let is_empty = !matches.any(|check| is_included(&check));
        is_empty.then(|| format!("no check of profile {profile} matches '{filter}'"))
    });
    suites.chain(filters).collect()
}

/// The checks of the selected suites; all checks if none is selected.
fn checks_of_suites(plan: &Plan) -> impl Iterator<Item = &PlannedCheck> + Clone {
    let suites = &plan.selection.suites;
    let checks = plan.checks.iter();
    checks.filter(|check| suites.is_empty() || suites.iter().any(|it| it == check.id.suite()))
}

fn scope(plan: &Plan) -> String {
    match plan.selection.suites.as_slice() {
        [] => String::new(),
        [suite] => format!(" of suite '{suite}'"),
        _ => " of the selected suites".to_owned(),
    }
}
