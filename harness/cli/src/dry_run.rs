//! The description that `--dry-run` prints: what a run would do.

use std::collections::BTreeMap;

use cutover_reports::record::{Admission, Plan};

use cutover_contract::contract::{Contract, Presence};
use cutover_harness::target_file::Target;

/// The calls that a run may make, its checks with their effects, and the checks it would skip.
pub(super) fn describe(plan: &Plan, target: &Target, contract: &Contract) -> String {
    let mut lines = vec![format!(
        "Dry run: nothing was done. With profile {}, target {} ({}, {}) would receive these calls:",
        plan.profile, target.name, plan.target.class, plan.target.stack
    )];
    let origin = target.api.as_ref().map_or("", |api| api.url.as_str());
    let origin = origin.trim_end_matches('/');
    for (endpoint, route) in &contract.routes {
        if route.presence != Presence::Absent {
            let path = contract.path(route, &[]);
            lines.push(format!(
                "  {:<6} {origin}{path}  ({endpoint})",
                route.method.to_string()
            ));
        }
    }
    if target.api.is_some() {
        lines.push("  PUT    the signed upload URL of each document  (its bytes)".to_owned());
    }
    for (key, command) in target.control.all() {
        lines.push(format!("  RUN    {}  ({key})", command.join(" ")));
    }
    lines.extend([String::new(), "for these checks:".to_owned()]);
    let admitted = plan.checks.iter().filter(|check| check.is_admitted());
    lines.extend(admitted.map(|check| format!("  {:<12} {}", check.effect.to_string(), check.id)));
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for check in &plan.checks {
        if let Admission::Refused { reason, .. } = &check.admission {
            *skipped.entry(reason).or_default() += 1;
        }
    }
    if !skipped.is_empty() {
        lines.extend([String::new(), "and would skip:".to_owned()]);
        let reasons = skipped.iter();
        lines.extend(reasons.map(|(reason, count)| format!("  {count} checks: {reason}")));
    }
    lines.push(String::new());
    lines.join("\n")
}
