//! A run without defects, and functions that change it.

use time::{Duration, OffsetDateTime};

use crate::policy::Policy;
use crate::record::{
    Admission, CheckId, Criticality, Effect, Finding, JOURNAL_VERSION, Outcome, PLAN_VERSION, Plan,
    PlannedCheck, Profile, Run, RunEvent, RunJournalEntry, Selection, Severity, SkipClass, Source,
    TargetSummary, Trial,
};

pub(super) const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 12:00 UTC);

pub(super) fn policy() -> Policy {
    let text = "schema = 1\nname = \"test\"\nbar = \"high\"\nmax_age = \"2h\"\n\
        [[suite]]\nid = \"p\"\nrequired = true\nmin_checks = 1\n\
        [[waiver]]\ncheck = \"p::waived\"\nowner = \"me\"\nreason = \"known\"\nticket = \"T-1\"\nexpires = 2026-12-31\n\
        [[waiver]]\ncheck = \"p::expired\"\nowner = \"me\"\nreason = \"known\"\nticket = \"T-1\"\nexpires = 2026-11-23\n";
    Policy::parse(text, "test.toml").unwrap()
}

pub(super) fn planned(id: &str, severity: Severity, criticality: Criticality) -> PlannedCheck {
    PlannedCheck {
        id: id.parse().unwrap(),
        statement: "the statement holds".to_owned(),
        severity,
        criticality,
        effect: Effect::Read,
        needs: Vec::new(),
        lacks: Vec::new(),
        timeout_ms: 1_000,
        takes_ms: 0,
        is_sample: false,
        source: Source {
            file: "x.rs".to_owned(),
            line: 1,
        },
        admission: Admission::Admitted,
    }
}

pub(super) fn trial(id: &CheckId, outcome: Option<Outcome>) -> Trial {
    let findings = match outcome {
        Some(Outcome::Failed) => vec![Finding::new("the statement does not hold")],
        _ => Vec::new(),
    };
    Trial {
        check: id.clone(),
        attempt: 1,
        started_at: NOW,
        evidence: Vec::new(),
        findings,
        finished: outcome.map(|outcome| (outcome, 5.0)),
        observations: None,
    }
}

pub(super) fn at(event: RunEvent) -> RunJournalEntry {
    RunJournalEntry {
        v: JOURNAL_VERSION,
        at: NOW,
        event,
    }
}

pub(super) fn run_journal() -> Vec<RunJournalEntry> {
    let identity = serde_json::json!({"commit": "abc"});
    vec![
        at(RunEvent::Identified {
            identity: identity.clone(),
        }),
        at(RunEvent::Identified { identity }),
        at(RunEvent::Finished { duration_ms: 9.0 }),
    ]
}

pub(super) fn run_of(checks: Vec<PlannedCheck>, trials: Vec<Trial>) -> Run {
    let plan = Plan {
        v: PLAN_VERSION,
        run: "r".to_owned(),
        created_at: NOW - Duration::minutes(1),
        cutover: "0".to_owned(),
        profile: Profile::Gate,
        seed: 1,
        target: TargetSummary {
            file: None,
            name: "t".to_owned(),
            class: "local".to_owned(),
            stack: "processes".to_owned(),
            defect: None,
        },
        selection: Selection::default(),
        checks,
        rules: Vec::new(),
    };
    Run {
        plan: Some(plan),
        journal: run_journal(),
        trials,
        unreadable: Vec::new(),
    }
}

/// A run of two passing checks, changed. The functions below change the second check.
pub(super) fn run_with(change: impl FnOnce(&mut Run)) -> Run {
    let other = planned("p::other", Severity::High, Criticality::Required);
    let check = planned("p::it", Severity::High, Criticality::Required);
    let trials = vec![
        trial(&other.id, Some(Outcome::Passed)),
        trial(&check.id, Some(Outcome::Passed)),
    ];
    let mut run = run_of(vec![other, check], trials);
    change(&mut run);
    run
}

pub(super) fn plan(run: &mut Run) -> &mut Plan {
    run.plan.as_mut().unwrap()
}

pub(super) fn set_outcome(run: &mut Run, outcome: Outcome) {
    run.trials[1] = trial(&run.trials[1].check.clone(), Some(outcome));
}

pub(super) fn rename(run: &mut Run, id: &str) {
    plan(run).checks[1].id = id.parse().unwrap();
    run.trials[1].check = id.parse().unwrap();
}

pub(super) fn refuse(run: &mut Run, class: SkipClass) {
    plan(run).checks[1].admission = Admission::Refused {
        class,
        reason: "a reason".to_owned(),
    };
    run.trials.pop();
}

pub(super) fn errored() -> Outcome {
    Outcome::Errored {
        cause: "a panic".to_owned(),
    }
}

pub(super) fn skipped(class: SkipClass) -> Outcome {
    Outcome::Skipped {
        class,
        reason: "a reason".to_owned(),
    }
}
