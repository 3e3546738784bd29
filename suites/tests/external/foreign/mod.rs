//! A pipeline in another language, described by a contract file: it passes, and its defects are found.

pub(crate) mod accounts;
pub(crate) mod fastapi;
mod fastapi_pipeline;
mod pipeline;
pub(crate) mod standins;

use cutover_test_support::output_text;
use pipeline::ForeignPipeline;

use crate::{Tests, tests};

pub(crate) const TESTS: &Tests = tests![
    its_defects_are_caught,
    a_wrong_contract_is_noticed,
    it_passes_by_its_contract_alone,
];

/// A defect of the pipeline, and a check that must fail.
const DEFECTS: [(&str, &str); 6] = [
    (
        "everybodys_chunks",
        "security::only_the_token_identifies_the_user",
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

/// A line of the target file, a wrong line in its place, and a check that must fail.
const WRONG_LINES: [(&str, &str, &str); 3] = [
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

fn it_passes_by_its_contract_alone() {
    let foreign = ForeignPipeline::start();
    let doctor = foreign.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(0), "{}", output_text(&doctor));
    let validated = foreign.run(&["validate"]);
    let text = output_text(&validated);
    assert_eq!(validated.status.code(), Some(0), "{text}");
    assert!(text.contains("  GO "), "{text}");
    let smoke = foreign.run(&["smoke"]);
    assert_eq!(smoke.status.code(), Some(0), "{}", output_text(&smoke));
    foreign.assert_nothing_left();
}

fn its_defects_are_caught() {
    for (defect, check) in DEFECTS {
        ForeignPipeline::start_with_defect(defect).assert_no_go(check, defect);
    }
}

fn a_wrong_contract_is_noticed() {
    for (line, wrong_line, check) in WRONG_LINES {
        let foreign = ForeignPipeline::start();
        foreign.replace_in_target(line, wrong_line);
        foreign.assert_no_go(check, wrong_line);
    }
}
