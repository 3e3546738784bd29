//! The golden run: every outcome, every kind of evidence and hostile text, with a fixed clock.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot set up fails the test"
)]

use std::path::PathBuf;

use cutover_reports::policy::Policy;
use cutover_reports::record::Run;
use cutover_reports::verdict::{Verdict, judge};
use time::OffsetDateTime;

const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 12:05 UTC);

/// The run as its directory holds it, and the verdict on it.
pub(crate) fn run() -> (Run, Verdict) {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run");
    judged(Run::load(&dir).unwrap())
}

/// The same run, had it gone well: of its checks those that passed.
pub(crate) fn sound_run() -> (Run, Verdict) {
    let (mut run, verdict) = self::run();
    run.unreadable.clear();
    run.life.remove(1);
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

/// A run and the verdict on it.
pub(crate) fn judged(run: Run) -> (Run, Verdict) {
    let policy = Policy::parse(include_str!("policy.toml"), "policy.toml").unwrap();
    let verdict = judge(&run, &policy, NOW);
    (run, verdict)
}
