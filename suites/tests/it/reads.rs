//! Every check that uses the database declares which tables and columns it reads.

use cutover_harness::capability::Capability;
use cutover_harness::suite::Suite;

#[test]
fn every_check_of_the_database_declares_what_it_reads() {
    let suites = cutover::catalog().suites;
    let cases = suites.iter().flat_map(Suite::cases);
    let undeclared: Vec<_> = cases
        .filter(|case| case.check.needs.contains(&Capability::Database))
        .filter(|case| case.check.reads.is_none())
        .map(|case| case.id.as_str())
        .collect();
    assert!(
        undeclared.is_empty(),
        "add `.reads(…)` to the lines of these checks, or `.reads(read::NOTHING)`: {undeclared:#?}"
    );
}

#[test]
fn a_check_without_the_database_reads_nothing() {
    let suites = cutover::catalog().suites;
    let cases = suites.iter().flat_map(Suite::cases);
    for case in cases.filter(|case| case.check.reads.is_some()) {
        let needs = &case.check.needs;
        assert!(needs.contains(&Capability::Database), "{}", case.id);
    }
}
