//! The load generator measures what is known. It runs alone: other tests would take its processor time.

use cutover_load::self_test;

/// A clock that is wrong is wrong each time; a busy machine delays a measurement only now and then.
const ATTEMPTS: usize = 5;

#[test]
fn the_generator_measures_what_is_known() {
    let mut failed = Vec::new();
    for _ in 0..ATTEMPTS {
        let results = self_test::run().into_iter();
        failed = results.filter(|result| !result.holds()).collect();
        if failed.is_empty() {
            return;
        }
    }
    panic!("{failed:#?}");
}
