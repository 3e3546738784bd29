//! A pipeline that cutover was not written for, in another language, is judged by its contract file alone.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]

mod accounts;
mod standins;
#[path = "../waiting/mod.rs"]
mod waiting;
mod world;

use world::{World, said};

/// What its defects are called, each with a part of the name of a check that must notice it.
const DEFECTS: [(&str, &str); 6] = [
    (
        "everybodys_chunks",
        "pipeline::a_document_is_found_only_when_complete",
    ),
    (
        "vectors_by_place",
        "pipeline::each_chunk_is_its_own_best_match",
    ),
    (
        "vectors_invented",
        "pipeline::a_search_without_a_query_vector_fails",
    ),
    ("guests_welcome", "smoke::nobody_gets_in_without_a_token"),
    (
        "callbacks_unsigned",
        "pipeline::forged_callbacks_are_refused",
    ),
    (
        "bytes_unchecked",
        "pipeline::bytes_that_were_not_registered_are_never_found",
    ),
];

/// What the target file says of it, what is wrong instead, and a check that must notice that.
const UNTRUTHS: [(&str, &str, &str); 3] = [
    (
        "times = \"utc_without_zone\"",
        "times = \"zoned\"",
        "pipeline::a_job_is_shown_whole",
    ),
    (
        "sha256 = \"/document/digest\"\nocr",
        "sha256 = \"/digest\"\nocr",
        "pipeline::each_chunk_is_its_own_best_match",
    ),
    (
        "static_header = \"X-Parser-Token\"",
        "static_header = \"X-Other-Token\"",
        "pipeline::forged_callbacks_are_refused",
    ),
];

#[test]
fn a_foreign_pipeline_passes_by_its_contract_alone() {
    let Some(world) = World::start("") else {
        return;
    };
    let doctor = world.cutover(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(0), "{}", said(&doctor));
    let validated = world.cutover(&["validate"]);
    assert_eq!(validated.status.code(), Some(0), "{}", said(&validated));
    assert!(said(&validated).contains("  GO "), "{}", said(&validated));
    let smoked = world.cutover(&["smoke"]);
    assert_eq!(smoked.status.code(), Some(0), "{}", said(&smoked));
    world.must_be_clean();
}

#[test]
fn its_defects_are_caught() {
    for (defect, noticed_by) in DEFECTS {
        let Some(world) = World::start(defect) else {
            return;
        };
        world.is_refused_by(noticed_by, defect);
    }
}

#[test]
fn what_its_contract_says_is_held_against_it() {
    for (truth, untruth, noticed_by) in UNTRUTHS {
        let Some(world) = World::start("") else {
            return;
        };
        world.pretend(truth, untruth);
        world.is_refused_by(noticed_by, untruth);
    }
}
