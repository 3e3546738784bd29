//! A dry run: what a run would do, without doing it.

use std::collections::BTreeMap;

use cutover_reports::record::{Admission, Plan};

use cutover_contract::contract::{Contract, Presence};
use cutover_harness::target_file::Target;

/// What a run would do: the calls it may make, each check with its effect, and what is left out.
pub(super) fn describe(plan: &Plan, target: &Target, contract: &Contract) -> String {
    let mut lines = vec![format!(
        "nothing was done. Against target {} ({}, {}) profile {} would make these calls:",
        target.name, plan.target.class, plan.target.stack, plan.profile
    )];
    let origin = target.api.as_ref().map_or("", |api| api.url.as_str());
    let origin = origin.trim_end_matches('/');
    for (endpoint, route) in &contract.routes {
        if route.presence != Presence::Absent {
            let path = contract.path(route, &[]);
            lines.push(format!(
                "  {:<6} {origin}{path}  ({endpoint})",
                route.method
            ));
        }
    }
    if target.api.is_some() {
        lines.push("  PUT    the signed address of each upload  (its bytes)".to_owned());
    }
    for (key, command) in target.control.all() {
        lines.push(format!("  RUN    {}  ({key})", command.join(" ")));
    }
    lines.extend([String::new(), "for these checks:".to_owned()]);
    let admitted = plan.checks.iter().filter(|check| check.is_admitted());
    lines.extend(admitted.map(|check| format!("  {:<12} {}", check.effect.to_string(), check.id)));
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for check in &plan.checks {
        if let Admission::Refused { reason, .. } = &check.admission {
            *refused.entry(reason).or_default() += 1;
        }
    }
    if !refused.is_empty() {
        lines.extend([String::new(), "and leave out:".to_owned()]);
        let told = refused.iter();
        lines.extend(told.map(|(reason, count)| format!("  {count} checks: {reason}")));
    }
    lines.push(String::new());
    lines.join("\n")
}
