//! Coverage: which checks can run on a target, and what the others lack.

use std::collections::BTreeMap;

use cutover_reports::policy::Policy;
use cutover_reports::record::{Admission, PlannedCheck, Profile, Selection};

use crate::CommandError;
use cutover_harness::catalog::Catalog;
use cutover_harness::plan::{PlanRequest, plan};
use cutover_harness::target_file::Target;

/// For every profile and suite: the number of checks that can run, and why others cannot.
pub(super) fn coverage(
    catalog: &Catalog,
    target: &Target,
    policy: &Policy,
) -> Result<Vec<String>, CommandError> {
    let mut lines = Vec::new();
    for profile in [Profile::Smoke, Profile::Gate] {
        let request = PlanRequest {
            run: "not-run".to_owned(),
            profile,
            seed: 0,
            selection: Selection::default(),
            defect: None,
        };
        let plan = plan(catalog, target, policy, &request)?;
        lines.push(format!("profile {profile}"));
        for suite in &catalog.suites {
            let checks = plan.checks.iter();
            let checks: Vec<_> = checks
                .filter(|check| check.id.suite() == suite.name())
                .filter(|check| policy.includes(profile, check))
                .collect();
            if !checks.is_empty() {
                lines.extend(suite_coverage(suite.name(), &checks));
            }
        }
    }
    Ok(lines)
}

fn suite_coverage(suite: &str, checks: &[&PlannedCheck]) -> Vec<String> {
    let admitted = checks.iter().filter(|check| check.is_admitted()).count();
    let total = checks.len();
    let mut lines = vec![format!("  {suite}: {admitted} of {total} checks can run")];
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for check in checks {
        if let Admission::Refused { reason, .. } = &check.admission {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let reasons = reasons.into_iter();
    lines.extend(reasons.map(|(reason, count)| format!("    {count}: {reason}")));
    lines
}
