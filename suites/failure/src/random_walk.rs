//! A random walk: a seeded schedule of faults, crashes and requests of users, after which nothing is lost.

use cutover_harness::catalog::RandomWalk;
use cutover_harness::prelude::*;

use cutover_suite_support::scenario::{self, random_walk, schedule};

/// The check of this file, as other commands run it.
pub const RANDOM_WALK: RandomWalk = RandomWalk {
    check: "failure::a_random_walk_of_faults_loses_nothing",
    check_schedule: schedule::check,
};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_random_walk_of_faults_loses_nothing)
            .requires([
                Http,
                Database,
                Storage,
                Standins,
                Links,
                WorkerStop,
                WorkerPause,
                WorkerScale,
                ApiStop,
            ])
            .reads(scenario::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(30))
            .severity(Critical)
            .alone_with_workers(2),
    ]
}

/// After a random walk of faults, every document is there, once, and the service is as it was before.
async fn a_random_walk_of_faults_loses_nothing(cx: &Context) -> CheckResult {
    random_walk::run(cx).await
}
