//! The test of the load generator before a run measures the system under test.

use cutover_load::self_test::{self, SelfTestResult};
use cutover_reports::record::KnownMeasurement;

/// Measures servers whose behaviour is known, and again, one by one, if a result is wrong: a busy machine
/// can be wrong once.
pub(super) fn run() -> Vec<KnownMeasurement> {
    let results = self_test::run();
    let results = if results.iter().all(SelfTestResult::holds) {
        results
    } else {
        self_test::run_one_by_one()
    };
    results.iter().map(known).collect()
}

fn known(result: &SelfTestResult) -> KnownMeasurement {
    KnownMeasurement {
        what: result.what.to_owned(),
        expected: result.expected,
        measured: result.measured,
        holds: result.holds(),
    }
}
