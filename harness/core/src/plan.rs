//! Planning: every check is admitted, or refused with its reason, before anything runs.

use std::time::Duration;

use cutover_reports::policy::Policy;
use cutover_reports::record::{
    Admission, CheckId, PLAN_VERSION, Plan, PlannedCheck, Profile, Selection, SkipClass,
};
use time::OffsetDateTime;

use crate::capability::Capability;
use crate::catalog::{Catalog, SeededDefect};
use crate::suite::{Case, Suite};
use crate::target_file::Target;

/// A selection that the catalog cannot satisfy.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A suite that does not exist.
    #[error("select suite '{name}': there is no such suite; the suites are {known}")]
    UnknownSuite {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The run's id.
    pub run: String,
    /// How much it does.
    pub profile: Profile,
    /// The seed of everything random in it.
    pub seed: u64,
    /// Which checks.
    pub selection: Selection,
    /// The seeded defect to start the stack with.
    pub defect: Option<&'static SeededDefect>,
}

/// Plans a run. Pure: opens no socket and reads no file.
pub fn plan(
    catalog: &Catalog,
    target: &Target,
    policy: &Policy,
    order: &PlanRequest,
) -> Result<Plan, PlanError> {
    known_suites(catalog, &order.selection.suites)?;
    let planned = |(suite, case): (&Suite, &Case)| {
        let check = described(case);
        let admission = if policy.includes(order.profile, &check) {
            admission(suite, case, target, &order.selection)
        } else {
            Admission::Refused {
                class: SkipClass::Filtered,
                reason: format!("profile {} does not ask for it", order.profile),
            }
        };
        PlannedCheck { admission, ..check }
    };
    Ok(Plan {
        v: PLAN_VERSION,
        run: order.run.clone(),
        created_at: OffsetDateTime::now_utc(),
        cutover: env!("CARGO_PKG_VERSION").to_owned(),
        profile: order.profile,
        seed: order.seed,
        target: target.summary(order.defect.map(|defect| defect.id.to_owned())),
        selection: order.selection.clone(),
        checks: catalog.cases().map(planned).collect(),
    })
}

/// A check as its table has it.
fn described(case: &Case) -> PlannedCheck {
    PlannedCheck {
        id: case.id.clone(),
        statement: case.statement(),
        severity: case.check.severity,
        criticality: case.check.criticality,
        effect: case.check.effect,
        needs: case.check.needs.iter().map(ToString::to_string).collect(),
        timeout_ms: milliseconds(case.check.timeout),
        takes_ms: milliseconds(case.check.expected_duration),
        source: case.check.source.clone(),
        admission: Admission::Admitted,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Refuses the name of a suite that the catalog does not have.
pub fn known_suites(catalog: &Catalog, names: &[String]) -> Result<(), PlanError> {
    let known: Vec<_> = catalog.suites.iter().map(Suite::name).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(PlanError::UnknownSuite {
            name: name.clone(),
            known: known.join(", "),
        }),
    }
}

fn admission(suite: &Suite, case: &Case, target: &Target, selection: &Selection) -> Admission {
    let refused = |class, reason| Admission::Refused { class, reason };
    if !is_selected(suite.name(), &case.id, selection) {
        return refused(
            SkipClass::Filtered,
            "other checks were asked for".to_owned(),
        );
    }
    if case.check.effect > target.most_effect() {
        let reason = format!(
            "its effect is {}; target '{}' allows at most {}",
            case.check.effect,
            target.name,
            target.most_effect(),
        );
        return refused(SkipClass::PreconditionMissing, reason);
    }
    let controls = case.check.needs.iter().any(|need| need.is_control());
    if case.is_alone() && !controls && target.attachment().is_some() {
        let reason = format!(
            "it needs a stack of its own; target '{}' is somebody else's",
            target.name
        );
        return refused(SkipClass::PreconditionMissing, reason);
    }
    match target.grants().first_missing(&case.check.needs) {
        None => Admission::Admitted,
        Some(missing) => refused(SkipClass::PreconditionMissing, lacks(missing, target)),
    }
}

/// What a target lacks, and what would give it.
fn lacks(missing: Capability, target: &Target) -> String {
    let remedy = missing.given_by().map_or_else(
        || "only a stack of our own does".to_owned(),
        |key| format!("{key} would"),
    );
    let name = &target.name;
    format!("it needs {missing}; target '{name}' does not give it, {remedy}")
}

fn is_selected(suite: &str, id: &CheckId, selection: &Selection) -> bool {
    let by_suite = selection.suites.is_empty() || selection.suites.iter().any(|name| name == suite);
    let by_name = selection.filters.is_empty()
        || selection
            .filters
            .iter()
            .any(|part| id.as_str().contains(part.as_str()));
    by_suite && by_name
}
