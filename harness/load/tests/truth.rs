//! The load generator measures what is known. It runs alone: other tests would take its processor time.

use std::time::{Duration, Instant};

use cutover_load::truth;

#[test]
fn the_generator_measures_what_is_known() {
    let started = Instant::now();
    for result in truth::run() {
        assert!(result.holds(), "{result:?}");
    }
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(6), "{elapsed:?}");
}
