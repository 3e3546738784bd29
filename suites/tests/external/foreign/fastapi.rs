//! The FastAPI pipeline: it passes by its contract, its defects are found, and `init` learns its contract.

use std::collections::BTreeMap;

use cutover_test_support::output_text;
use serde_json::Value;

use super::fastapi_pipeline::{FastApiPipeline, TARGET};
use super::pipeline::fixture;
use crate::{Tests, tests};

pub(crate) const TESTS: &Tests = tests![
    its_defects_are_caught,
    it_passes_by_its_contract_alone,
    it_fails_no_check_of_the_default_policy,
    its_contract_is_learnt,
    it_survives_the_faults_of_its_links,
];

/// A defect of the pipeline, and a check that must fail. One defect is missing: for `always_ready` the dependencies of
/// a service must be stopped, which cutover can do on a stack of its own only.
const DEFECTS: [(&str, &str); 25] = [
    (
        "retries_unbounded",
        "failure::a_permanent_parser_error_fails_the_document::always_overloaded",
    ),
    (
        "missing_page_ignored",
        "pipeline::a_complete_document_lacks_no_page::left_out",
    ),
    (
        "pages_as_they_come",
        "pipeline::pages_are_joined_in_their_order",
    ),
    ("late_upload_lost", "pipeline::late_bytes_are_waited_for"),
    (
        "last_passage_dropped",
        "pipeline::a_long_text_arrives_whole",
    ),
    (
        "first_page_only",
        "pipeline::every_callback_shape_yields_the_same_text",
    ),
    (
        "non_ascii_dropped",
        "pipeline::every_character_of_a_text_is_kept",
    ),
    (
        "indexed_twice",
        "pipeline::a_replayed_callback_changes_nothing",
    ),
    (
        "ready_too_early",
        "pipeline::a_document_is_found_only_when_complete",
    ),
    (
        "index_error_swallowed",
        "failure::an_embedder_that_recovers_gets_its_chunks",
    ),
    (
        "no_retry",
        "failure::a_parser_that_recovers_gets_its_document",
    ),
    (
        "zero_vectors",
        "pipeline::a_search_without_a_query_vector_fails",
    ),
    (
        "vectors_by_order",
        "pipeline::each_chunk_is_its_own_best_match",
    ),
    (
        "stale_vectors",
        "pipeline::documents_that_resemble_each_other_are_independent",
    ),
    ("bytes_unchecked", "pipeline::other_bytes_are_never_indexed"),
    (
        "search_all_owners",
        "security::only_the_token_identifies_the_user",
    ),
    (
        "list_all_owners",
        "pipeline::the_job_list_is_the_callers_own",
    ),
    (
        "file_of_anybody",
        "pipeline::another_users_id_looks_unknown",
    ),
    (
        "token_expiry_ignored",
        "security::a_bad_token_is_refused_everywhere::an_expired_one",
    ),
    (
        "callback_token_unchecked",
        "pipeline::forged_callbacks_are_refused",
    ),
    ("duplicates_accepted", "pipeline::a_duplicate_is_refused"),
    (
        "active_limit_ignored",
        "security::the_concurrent_job_limit_holds",
    ),
    ("size_limit_ignored", "security::the_size_limits_hold"),
    ("name_in_sql", "pipeline::a_document_of_any_name_arrives"),
    (
        "secrets_in_logs",
        "security::nothing_confidential_is_logged",
    ),
];

fn it_passes_by_its_contract_alone() {
    let pipeline = FastApiPipeline::start("");
    let doctor = pipeline.run_by(BLACK_BOX, &["doctor"]);
    assert_eq!(doctor.status.code(), Some(0), "{}", output_text(&doctor));
    let validated = pipeline.run_by(BLACK_BOX, &["validate"]);
    let text = output_text(&validated);
    assert_eq!(validated.status.code(), Some(0), "{text}");
    assert!(text.contains("  GO "), "{text}");
    assert_eq!(forecast(&output_text(&doctor)), results(&pipeline));
}

/// The policy for targets that are reached over HTTP only.
const BLACK_BOX: &str = "policies/black_box.toml";

/// The policy of the pipeline, which names what it does not have.
const OWN: &str = "foreign/fastapi/policy.toml";

/// Checks whose demands depend on the contract, and that the pipeline would not pass by the default contract.
const DEPENDENT: [&str; 16] = [
    "failure::a_permanent_parser_error_fails_the_document",
    "failure::a_storage_that_recovers_loses_nothing",
    "pipeline::a_callback_counts_once",
    "pipeline::a_complete_document_lacks_no_page",
    "pipeline::a_document_of_empty_pages_fails",
    "pipeline::every_request_respects_the_history_of_a_document::superseded_twice",
    "pipeline::half_a_surrogate_pair_is_replaced",
    "pipeline::ids_and_paths_are_deterministic",
    "pipeline::pages_are_joined_in_their_order",
    "pipeline::parallel_duplicates_make_one_document",
    "pipeline::repeated_passages_are_all_kept_and_found",
    "pipeline::the_word_for_an_empty_page_is_not_indexed",
    "pipeline::two_requests_at_once_act_one_after_the_other::retry_and_upload",
    "security::a_forged_callback_is_refused",
    "security::log_lines_carry_job_and_request_ids",
    "security::users_read_their_own_rows",
];

/// A whole run by the default policy takes four minutes, so the checks that depend on the contract stand for it. By the
/// pipeline's own policy, every check of the gate can run or does not apply.
fn it_fails_no_check_of_the_default_policy() {
    let pipeline = FastApiPipeline::start("");
    let doctor = pipeline.run_by(OWN, &["doctor"]);
    let text = output_text(&doctor);
    assert_eq!(doctor.status.code(), Some(0), "{text}");
    let (_, gate) = text.split_once("profile gate\n").unwrap();
    for reason in ["requires ", "reads "] {
        assert!(!gate.contains(reason), "{text}");
    }
    let checks = DEPENDENT.iter().flat_map(|check| ["--check", check]);
    let arguments: Vec<_> = ["validate", "--target", TARGET]
        .into_iter()
        .chain(checks)
        .collect();
    let validated = pipeline.run(&arguments);
    let text = output_text(&validated);
    assert_eq!(validated.status.code(), Some(INCONCLUSIVE), "{text}");
    let count = |outcome: &str| count(&pipeline, outcome);
    assert_eq!([count("failed"), count("errored")], [0, 0], "{text}");
    assert!(count("passed") >= PASSED, "{text}");
    // What is skipped has its reason in the plan, and not in a trial.
    let plan: Value = serde_json::from_str(&pipeline.home.read(PLAN)).unwrap();
    let checks = plan["checks"].as_array().unwrap().iter();
    let admitted = checks.filter(|check| check["admission"] == "admitted");
    assert_eq!(count("passed"), admitted.count() as u64, "{text}");
}

/// The pipeline gives the links to its providers, so that their faults are injected, and no others. The samples of
/// the faults stand for all of them, which take three minutes on one system.
fn it_survives_the_faults_of_its_links() {
    let pipeline = FastApiPipeline::start_behind_links("");
    let check = "a_broken_link_loses_nothing";
    let selection = ["--profile", "quick", "--check", check, "--target", TARGET];
    let validated = pipeline.run(&[&["validate"], &selection[..]].concat());
    let text = output_text(&validated);
    assert_eq!(validated.status.code(), Some(INCONCLUSIVE), "{text}");
    let failures = ["failed", "errored"].map(|outcome| count(&pipeline, outcome));
    assert_eq!(failures, [0, 0], "{text}");
    let faults = pipeline.home.read("target/cutover/latest/faults.txt");
    for link in [
        "worker_to_storage",
        "worker_to_parser",
        "worker_to_embedder",
        "api_to_storage",
    ] {
        assert!(faults.contains(link), "{link}: {faults}");
    }
    assert!(!faults.contains("to_database"), "{faults}");
}

/// The plan of the newest run.
const PLAN: &str = "target/cutover/latest/plan.json";

/// The exit code of a partial run without a failure.
const INCONCLUSIVE: i32 = 3;

/// The least number of those checks that can run.
const PASSED: u64 = 55;

/// The verdict of the newest run.
fn verdict(pipeline: &FastApiPipeline) -> Value {
    let verdict = pipeline.home.read("target/cutover/latest/verdict.json");
    serde_json::from_str(&verdict).unwrap()
}

/// The number of checks of the newest run with this outcome.
fn count(pipeline: &FastApiPipeline, outcome: &str) -> u64 {
    verdict(pipeline)["counts"][outcome]
        .as_u64()
        .unwrap_or_default()
}

/// What the doctor says about the gate: the checks that can run, and all checks, by suite.
fn forecast(report: &str) -> BTreeMap<String, [u64; 2]> {
    let (_, gate) = report.split_once("profile gate\n").unwrap();
    let line = |line: &str| {
        let (suite, rest) = line.trim().split_once(": ")?;
        let (runs, rest) = rest.split_once(" of ")?;
        let (all, _) = rest.split_once(" checks can run")?;
        Some((suite.to_owned(), [runs, all].map(|n| n.parse().unwrap())))
    };
    gate.lines().filter_map(line).collect()
}

/// The checks of the newest run that had a result, and all checks of its profile, by suite.
fn results(pipeline: &FastApiPipeline) -> BTreeMap<String, [u64; 2]> {
    let verdict = verdict(pipeline);
    let suites = verdict["suites"].as_array().unwrap().iter();
    let of_suite = |suite: &Value| {
        let count = |key: &str| suite["counts"][key].as_u64().unwrap();
        let runs = count("planned") - count("skipped");
        let all = count("planned") - count("not_in_profile");
        let name = suite["suite"].as_str().unwrap().to_owned();
        (all > 0).then_some((name, [runs, all]))
    };
    suites.filter_map(of_suite).collect()
}

fn its_defects_are_caught() {
    for (defect, check) in DEFECTS {
        FastApiPipeline::start(defect).assert_no_go(check, defect);
    }
}

fn its_contract_is_learnt() {
    let pipeline = FastApiPipeline::start("");
    let target = pipeline.home.read(TARGET);
    // The names of tables cannot be learnt, so the database is not used.
    let (draft, _) = target.split_once("\n[contract]\n").unwrap();
    let draft = draft.replace(
        "[database]\nurl = { env = \"DATABASE_URL_READONLY\" }\n",
        "",
    );
    pipeline.home.write("draft.toml", &draft);
    let mut arguments = vec!["init", "--learn", "--from", "draft.toml"];
    // The stand-ins need to know the bucket and the length of the vectors before the first document.
    for known in ["storage.bucket=library", "embedder.dimensions=512"] {
        arguments.extend(["--set", known]);
    }
    let learnt = pipeline.run(&arguments);
    let text = output_text(&learnt);
    assert_eq!(learnt.status.code(), Some(0), "{text}");
    assert!(text.contains("statuses null -> "), "{text}");
    let learnt = pipeline.home.read("cutover.toml");
    for line in [
        "# guess: confirm",
        "status = \"/stage\"",
        "unset_status = true",
        "malformed_id = 404",
    ] {
        assert!(learnt.contains(line), "{line}: {learnt}");
    }
    let policy = fixture(BLACK_BOX);
    for verb in ["doctor", "smoke"] {
        let policy = policy.to_str().unwrap();
        let output = pipeline.run(&[verb, "--target", "cutover.toml", "--policy", policy]);
        let text = output_text(&output);
        assert_eq!(output.status.code(), Some(0), "{text}\n{learnt}");
    }
}
