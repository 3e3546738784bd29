//! The golden run: every outcome, every kind of evidence and hostile text, at a fixed time.

#![expect(clippy::unwrap_used, reason = "a failed test setup fails the test")]

use std::path::PathBuf;

use cutover_reports::policy::Policy;
use cutover_reports::record::Run;
use cutover_reports::verdict::{Verdict, judge};
use time::OffsetDateTime;

const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 12:05 UTC);

/// The golden run and its verdict.
pub(crate) fn run() -> (Run, Verdict) {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run");
    judged(Run::load(&dir).unwrap())
}

/// The golden run reduced to its passing checks, and its verdict.
pub(crate) fn passing_run() -> (Run, Verdict) {
    let (mut run, verdict) = self::run();
    run.unreadable.clear();
    run.journal.remove(1);
    let passed = |id| {
        let mut checks = verdict.checks.iter();
        checks.any(|check| check.id == id && check.detail.is_none())
    };
    run.trials.retain(|trial| passed(trial.check.clone()));
    let plan = run.plan.as_mut().unwrap();
    plan.target.defect = None;
    plan.checks.retain(|check| passed(check.id.clone()));
    judged(run)
}

/// A run and its verdict.
pub(crate) fn judged(run: Run) -> (Run, Verdict) {
    let policy = Policy::parse(include_str!("policy.toml"), "policy.toml").unwrap();
    let verdict = judge(&run, &policy, NOW);
    (run, verdict)
}
