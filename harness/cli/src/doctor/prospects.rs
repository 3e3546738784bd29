//! What could be checked on a target, and what the rest lacks.

use std::collections::BTreeMap;

use cutover_reports::policy::Policy;
use cutover_reports::record::{Admission, Profile, Selection};

use crate::CommandError;
use cutover_harness::catalog::Catalog;
use cutover_harness::plan::{PlanRequest, plan};
use cutover_harness::target_file::Target;

/// For every suite how many checks could run, and what the others lack.
pub(super) fn prospects(
    catalog: &Catalog,
    target: &Target,
    policy: &Policy,
) -> Result<Vec<String>, CommandError> {
    let mut lines = Vec::new();
    for profile in [Profile::Smoke, Profile::Gate] {
        let order = PlanRequest {
            run: "not-run".to_owned(),
            profile,
            seed: 0,
            selection: Selection::default(),
            defect: None,
        };
        let plan = plan(catalog, target, policy, &order)?;
        lines.push(format!("profile {profile}"));
        for suite in &catalog.suites {
            let checks = plan.checks.iter();
            let checks: Vec<_> = checks
                .filter(|check| check.id.suite() == suite.name())
                .filter(|check| policy.includes(profile, check))
                .collect();
            if checks.is_empty() {
                continue;
            }
            let can = checks.iter().filter(|check| check.is_admitted()).count();
            lines.push(format!(
                "  {}: {can} of {} checks can run",
                suite.name(),
                checks.len()
            ));
            let mut lacks: BTreeMap<&str, usize> = BTreeMap::new();
            for check in checks {
                if let Admission::Refused { reason, .. } = &check.admission {
                    *lacks.entry(reason).or_default() += 1;
                }
            }
            let lacks = lacks.into_iter();
            lines.extend(lacks.map(|(reason, count)| format!("    {count}: {reason}")));
        }
    }
    Ok(lines)
}
