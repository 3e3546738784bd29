//! A check that leaves the only worker of a target busy is named by what could not be judged after it.

use cutover_harness::record::Outcome;

use super::stack::{AttachedStack, TARGET};

/// Checks that keep a worker waiting, in the order of the run.
const CHECKS: [&str; 2] = [
    "failure::a_parser_that_recovers_gets_its_document::silent",
    "failure::an_embedder_that_recovers_gets_its_chunks::silent",
];

/// One document at a time, and a timeout of provider requests that no check waits for.
const SLOW_WORKER: &str = "WORKER_CONCURRENCY = \"1\"\nPROVIDER_TIMEOUT_MS = \"120000\"";

#[test]
fn what_runs_after_a_check_that_keeps_the_worker_busy_is_not_judged() {
    let stack = AttachedStack::start_with(SLOW_WORKER);
    stack.write_target(&stack.data_and_standins());
    let target = stack.home.read(TARGET);
    let target = target.replace("complete_within = \"30s\"", "complete_within = \"3s\"");
    stack.home.write(TARGET, &target);
    let validated = stack.home.run([
        "validate", "--target", TARGET, "--check", CHECKS[0], "--check", CHECKS[1],
    ]);
    let run = stack.home.newest_run();
    let outcome = |check: &str| {
        let mut trials = run.trials.iter();
        let trial = trials.find(|trial| trial.check.as_str() == check);
        trial.and_then(|trial| trial.outcome().cloned())
    };
    assert!(
        !matches!(outcome(CHECKS[0]), Some(Outcome::Passed)),
        "{validated:?}"
    );
    let Some(Outcome::Errored { cause }) = outcome(CHECKS[1]) else {
        panic!("{validated:?}")
    };
    assert!(cause.contains(CHECKS[0]), "{cause}");
}
