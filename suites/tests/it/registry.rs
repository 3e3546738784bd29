//! The registry of seeded defects agrees with the checks, and with the defects of the pipeline.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cutover_harness::catalog::{DefectLocation, SeededDefect};
use cutover_harness::suite::Suite;

/// The number of seeded defects; it changes only when one is added.
const DEFECTS: usize = 578;

fn defects() -> Vec<&'static SeededDefect> {
    cutover::catalog().defects().collect()
}

/// Every check, by suite and name, without the row of a table.
fn checks() -> Vec<String> {
    let suites = cutover::catalog().suites;
    let ids = suites.iter().flat_map(Suite::check_ids);
    let without_row = ids.map(|id| {
        let parts: Vec<_> = id.as_str().split("::").take(2).collect();
        parts.join("::")
    });
    let mut checks: Vec<_> = without_row.collect();
    checks.dedup();
    checks
}

#[test]
fn every_defect_names_checks_that_exist() {
    let suites = cutover::catalog().suites;
    let ids: Vec<_> = suites.iter().flat_map(Suite::check_ids).collect();
    for defect in defects() {
        assert!(!defect.checks.is_empty(), "{} names no check", defect.id);
        for named in defect.checks {
            assert!(named.contains("::"), "{}: '{named}'", defect.id);
            let exists = ids.iter().any(|id| id.as_str().starts_with(named));
            assert!(exists, "{}: '{named}' does not exist", defect.id);
        }
    }
}

#[test]
fn every_check_is_named_by_a_defect() {
    let defects = defects();
    let is_named = |check: &String| {
        // Without a baseline, a check does not fail.
        let alone = defects.iter().filter(|defect| defect.measurement.is_none());
        let mut named = alone.flat_map(|defect| defect.checks);
        named.any(|name| name.starts_with(check.as_str()))
    };
    let never: Vec<_> = checks()
        .into_iter()
        .filter(|check| !is_named(check))
        .collect();
    assert!(
        never.is_empty(),
        "no seeded defect makes these fail: {never:?}"
    );
}

#[test]
fn ids_slugs_and_titles_are_unique() {
    let defects = defects();
    assert_eq!(defects.len(), DEFECTS);
    let names = defects.iter().flat_map(|defect| [defect.id, defect.slug]);
    assert_eq!(names.collect::<HashSet<_>>().len(), DEFECTS * 2);
    let titles = defects.iter().map(|defect| defect.title);
    assert_eq!(titles.collect::<HashSet<_>>().len(), DEFECTS);
    for SeededDefect {
        id, slug, title, ..
    } in defects
    {
        let in_kebab_case = slug.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        assert!(in_kebab_case, "{id}: '{slug}'");
        assert!(title.ends_with('.'), "{id}: '{title}'");
    }
}

#[test]
fn every_defect_of_the_pipeline_has_one_entry_and_every_entry_a_defect() {
    let seeded: BTreeMap<_, _> = cutover_pipeline::defects()
        .into_iter()
        .map(|name| (name.id, name.slug))
        .collect();
    let registered = defects().into_iter().filter_map(|defect| {
        let in_pipeline = defect.locations.contains(&DefectLocation::Pipeline);
        in_pipeline.then(|| (defect.id, defect.slug.to_owned()))
    });
    let registered: Vec<_> = registered.collect();
    assert_eq!(registered.len(), seeded.len());
    let registered: BTreeSet<_> = registered.into_iter().collect();
    assert_eq!(registered, seeded.into_iter().collect());
}

#[test]
fn a_defect_is_found_by_id_and_by_slug() {
    let catalog = cutover::catalog();
    for defect in catalog.defects() {
        assert_eq!(catalog.defect(defect.id).unwrap(), defect);
        assert_eq!(catalog.defect(defect.slug).unwrap(), defect);
    }
}

#[test]
fn an_unknown_defect_is_answered_with_the_nearest() {
    let catalog = cutover::catalog();
    for (misspelt, nearest) in [("share-claim", "shared-claim"), ("C-001", "C-01")] {
        let message = catalog.defect(misspelt).unwrap_err().to_string();
        let suggested = message.contains(&format!("did you mean '{nearest}'?"));
        assert!(suggested, "{message}");
    }
    let message = catalog.defect("?").unwrap_err().to_string();
    assert!(!message.contains("did you mean"), "{message}");
}
