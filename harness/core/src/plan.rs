//! Plans a run: every check is admitted or refused with a reason before anything runs.

use std::time::Duration;

use cutover_reports::policy::Policy;
use cutover_reports::record::{
    Admission, CheckId, Effect, PLAN_VERSION, Plan, PlannedCheck, PlannedRule, Profile, Selection,
    SkipClass,
};
use time::OffsetDateTime;

use crate::capability::Capability;
use crate::catalog::{Catalog, SeededDefect};
use crate::context::NO_CORPUS;
use crate::contract_admission::{lacking_keys, refused_by_contract};
use crate::control_action::keys_granting;
use crate::link_admission::refused_by_links;
use crate::rule::Rule;
use crate::suite::{Case, Suite};
use crate::target_file::{Class, Target};
use cutover_contract::contract::{Contract, Endpoint};

/// A selection that the catalog cannot satisfy.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A suite that does not exist.
    #[error("select suite '{name}': unknown suite; the suites are {known}")]
    UnknownSuite {
        /// The unknown name.
        name: String,
        /// The suites of the catalog.
        known: String,
    },
}

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The run's id.
    pub run: String,
    /// The profile, which limits the checks.
    pub profile: Profile,
    /// The seed of all random values.
    pub seed: u64,
    /// The selected suites and checks.
    pub selection: Selection,
    /// The seeded defect to start the stack with.
    pub defect: Option<&'static SeededDefect>,
}

/// Plans a run. A pure function: it opens no socket and reads no file.
pub fn plan(
    catalog: &Catalog,
    target: &Target,
    policy: &Policy,
    request: &PlanRequest,
) -> Result<Plan, PlanError> {
    known_suites(catalog, &request.selection.suites)?;
    // A contract that cannot be read is an error of the front end.
    let contract = target.contract(catalog.contract.text).ok();
    let planned = |(suite, case): (&Suite, &Case)| {
        let check = PlannedCheck {
            lacks: lacks(case, target, contract.as_ref()),
            ..planned_check(case)
        };
        let admission = if policy.includes(request.profile, &check) {
            let admission = admit(suite, case, target, contract.as_ref(), &request.selection);
            refused_by_contract(case, contract.as_ref(), admission)
        } else {
            Admission::Refused {
                class: SkipClass::Filtered,
                reason: format!("not in profile {}", request.profile),
            }
        };
        PlannedCheck { admission, ..check }
    };
    Ok(Plan {
        v: PLAN_VERSION,
        run: request.run.clone(),
        created_at: OffsetDateTime::now_utc(),
        cutover: env!("CARGO_PKG_VERSION").to_owned(),
        profile: request.profile,
        seed: request.seed,
        target: target.summary(request.defect.map(|defect| defect.id.to_owned())),
        selection: request.selection.clone(),
        checks: catalog.cases().map(planned).collect(),
        rules: rules(catalog, &request.selection.suites),
    })
}

/// The rules of the selected suites, or of all, and those that a check of another selected suite proves.
fn rules(catalog: &Catalog, selected: &[String]) -> Vec<PlannedRule> {
    let is_selected =
        |suite: &str| selected.is_empty() || selected.iter().any(|name| name == suite);
    let is_proved = |rule: &&'static Rule| {
        let mut checks = rule.checks().iter();
        checks.any(|check| is_selected(check.split("::").next().unwrap_or_default()))
    };
    let suites = catalog.suites.iter();
    let rules = suites.flat_map(|suite| {
        let is_own = is_selected(suite.name());
        let rules = suite.rules();
        rules.filter(move |rule| is_own || is_proved(rule))
    });
    rules.map(Rule::planned).collect()
}

/// In the list of what a check lacks: a stack of its own, which only a target that cutover starts has.
const OWN_STACK: &str = "own_stack";

/// What a check needs and the target does not have, in the words of a policy.
fn lacks(case: &Case, target: &Target, contract: Option<&Contract>) -> Vec<String> {
    let mut lacks = contract.map_or_else(Vec::new, |contract| lacking_keys(case, contract));
    if requires_own_stack(case) && target.attachment().is_some() {
        lacks.push(OWN_STACK.to_owned());
    }
    lacks
}

/// Whether a check runs on a stack of its own, and neither controls over a target nor a link of it
/// replace it.
fn requires_own_stack(case: &Case) -> bool {
    let mut needs = case.check.needs.iter();
    let is_controlled = needs.any(|need| !keys_granting(*need).is_empty());
    case.is_alone() && !is_controlled && case.row_link.is_none()
}

/// A check as its table describes it.
fn planned_check(case: &Case) -> PlannedCheck {
    PlannedCheck {
        id: case.id.clone(),
        statement: case.statement(),
        severity: case.check.severity,
        criticality: case.check.criticality,
        effect: case.check.effect,
        needs: case.check.needs.iter().map(ToString::to_string).collect(),
        timeout_ms: milliseconds(case.check.timeout),
        takes_ms: milliseconds(case.check.expected_duration),
        is_sample: case.is_sample,
        lacks: Vec::new(),
        source: case.check.source.clone(),
        admission: Admission::Admitted,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Refuses names of suites that the catalog does not contain.
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

fn admit(
    suite: &Suite,
    case: &Case,
    target: &Target,
    contract: Option<&Contract>,
    selection: &Selection,
) -> Admission {
    let refused = |class, reason| Admission::Refused { class, reason };
    if !is_selected(suite.name(), &case.id, selection) {
        return refused(SkipClass::Filtered, "not selected by the filter".to_owned());
    }
    if case.check.effect > target.max_effect() {
        let reason = format!(
            "its effect '{}' exceeds '{}', the maximum for class {} of target '{}'{}",
            case.check.effect,
            target.max_effect(),
            target.class,
            target.name,
            unproved_class(target),
        );
        return refused(SkipClass::PreconditionMissing, reason);
    }
    if requires_own_stack(case) && target.attachment().is_some() {
        let reason = format!(
            "requires a stack of its own; target '{}' is not started by cutover",
            target.name
        );
        return refused(SkipClass::PreconditionMissing, reason);
    }
    if let Some(rate) = target
        .requests_per_second()
        .filter(|_| case.check.effect == Effect::Load)
    {
        let reason = format!(
            "its load exceeds the {rate} requests per second that target '{}' allows",
            target.name
        );
        return refused(SkipClass::NotApplicable, reason);
    }
    if let Some(refusal) = contract.and_then(|contract| unfit_contract(case, target, contract)) {
        return refusal;
    }
    if case.check.reads_corpus && target.documents.files().is_empty() {
        return refused(SkipClass::NotApplicable, NO_CORPUS.to_owned());
    }
    match target.grants().first_missing(&case.check.needs) {
        None => refused_by_links(case, target).unwrap_or(Admission::Admitted),
        Some(missing) => refused(
            SkipClass::PreconditionMissing,
            missing_capability(missing, target),
        ),
    }
}

/// The refusal of a check that the routes of the contract do not allow.
fn unfit_contract(case: &Case, target: &Target, contract: &Contract) -> Option<Admission> {
    let mut needed = case.calls.iter();
    if let Some(absent) = needed.find(|endpoint| !contract.has(**endpoint)) {
        return Some(Admission::Refused {
            class: SkipClass::NotApplicable,
            reason: format!("the contract declares endpoint '{absent}' absent"),
        });
    }
    let writes = case.check.effect >= Effect::WriteTenant;
    if writes && target.counts_as_production() && !contract.has(Endpoint::DeleteDocument) {
        return Some(Admission::Refused {
            class: SkipClass::PreconditionMissing,
            reason: format!(
                "it creates documents, and target '{}' has no way to delete them: the contract declares endpoint \
                 'delete_document' absent",
                target.name
            ),
        });
    }
    None
}

/// Why the effects on a target are smaller than its class allows.
fn unproved_class(target: &Target) -> &'static str {
    if target.class != Class::Production && target.counts_as_production() {
        ", because nothing but the target file says what it is ([identification])"
    } else {
        ""
    }
}

/// The capability that a target lacks, and the key of the target file that grants it.
fn missing_capability(missing: Capability, target: &Target) -> String {
    let keys = keys_granting(missing).join(" and ");
    let remedy = match missing.section() {
        Some(section) => format!("add {section} to the target file"),
        None if keys.is_empty() => "only stacks that cutover starts grant it".to_owned(),
        None => format!("add {keys} to the target file"),
    };
    let name = &target.name;
    format!("requires {missing}, which target '{name}' does not grant; {remedy}")
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
