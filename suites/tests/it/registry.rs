//! The registry of seeded defects and the tables of checks speak of each other, and of nothing else.

use cutover_harness::suite::Suite;

/// Every check, by the name of its line in the table: rows share one.
fn lines() -> Vec<String> {
    let suites = cutover::catalog().suites;
    let ids = suites.iter().flat_map(Suite::check_ids);
    let mut lines: Vec<_> = ids
        .map(|id| {
            id.as_str()
                .split("::")
                .take(2)
                .collect::<Vec<_>>()
                .join("::")
        })
        .collect();
    lines.dedup();
    lines
}

#[test]
fn every_defect_blames_checks_that_exist() {
    let suites = cutover::catalog().suites;
    let ids: Vec<_> = suites.iter().flat_map(Suite::check_ids).collect();
    for defect in cutover::catalog().defects {
        assert!(!defect.blames.is_empty(), "{} blames nothing", defect.id);
        for blamed in defect.blames {
            let exists = ids.iter().any(|id| id.as_str().starts_with(blamed));
            assert!(
                exists,
                "{} blames '{blamed}', which does not exist",
                defect.id
            );
        }
    }
}

#[test]
fn every_check_is_blamed_by_a_defect() {
    let defects = cutover::catalog().defects;
    let blamed = |line: &String| {
        let mut names = defects.iter().flat_map(|defect| defect.blames);
        names.any(|name| name.starts_with(line.as_str()))
    };
    let never: Vec<_> = lines().into_iter().filter(|line| !blamed(line)).collect();
    assert!(
        never.is_empty(),
        "no seeded defect makes these fail: {never:?}"
    );
}
