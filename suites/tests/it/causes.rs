//! Runs in which no document becomes complete: one cause, and what needs no document is answered.

use cutover_harness::record::{Outcome, SkipClass};
use serde_json::Value;

use cutover_test_support::{Signal, TestHome, wait_for};

use crate::test_home;

const FOUNDATION: &str = "pipeline::an_uploaded_document_becomes_complete";

fn verdict(home: &TestHome) -> Value {
    let path = home.newest_run_directory().join("verdict.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_broken_golden_path_is_one_cause_and_the_rest_is_answered() {
    for (defect, cause) in [
        (
            "X-520",
            "GET /api/v2/jobs/{job_id} answers 500 (expected 200)",
        ),
        ("X-521", "a job stays in 'uploaded, queued'"),
    ] {
        let home = test_home();
        let arguments = ["validate", "--defect", defect, "--suite", "pipeline"];
        let ended = home.run(arguments);
        assert_eq!(ended.status.code(), Some(1), "{defect}");
        let verdict = verdict(&home);
        let groups = verdict["groups"].as_array().unwrap();
        assert_eq!(groups.len(), 1, "{defect}: {groups:#?}");
        assert_eq!(groups[0]["cause"], cause);
        let reason = verdict["reason"].as_str().unwrap();
        assert!(reason.starts_with(cause), "{reason}");
        let count = |name: &str| verdict["counts"][name].as_u64().unwrap();
        assert_eq!(count("errored") + count("not_run"), 0, "{defect}");
        assert!(
            count("passed") > 50 && count("blocked") > 50,
            "{defect}: {}",
            verdict["counts"]
        );
        let run = home.newest_run();
        let looks = run
            .trials
            .iter()
            .filter(|it| it.check.as_str() == FOUNDATION);
        assert_eq!(looks.count(), 2, "{defect}");
    }
}

#[test]
fn a_check_that_is_named_is_tried_although_no_document_becomes_complete() {
    let home = test_home();
    let named = "pipeline::a_job_is_shown_whole";
    let arguments = [
        "validate", "--defect", "X-520", "--check", FOUNDATION, "--check", named,
    ];
    assert_eq!(home.spawn(arguments).wait().code(), Some(1));
    let trials = home.newest_run().trials;
    let blocked = |outcome: &Outcome| {
        matches!(
            outcome,
            Outcome::Skipped {
                class: SkipClass::Blocked,
                ..
            }
        )
    };
    assert!(
        !trials
            .iter()
            .any(|trial| trial.outcome().is_some_and(blocked))
    );
    let named = trials.iter().find(|trial| trial.check.as_str() == named);
    assert_eq!(named.unwrap().outcome(), Some(&Outcome::Failed));
}

#[test]
fn an_interrupted_run_with_a_failure_is_a_no_go_with_all_reports() {
    let home = test_home();
    let mut run = home.spawn(["validate", "--defect", "X-520"]);
    home.wait_for_first_trial(&mut run);
    wait_for("the first failure", || {
        let trials = home.newest_run().trials;
        let mut outcomes = trials.iter().filter_map(|trial| trial.outcome());
        outcomes
            .any(|outcome| *outcome == Outcome::Failed)
            .then_some(())
    });
    run.send_signal(Signal::INT);
    assert_eq!(run.wait().code(), Some(1));
    let verdict = verdict(&home);
    assert_eq!(verdict["decision"], "no_go");
    let reasons = verdict["reasons"].as_array().unwrap();
    let mut texts = reasons.iter().filter_map(|reason| reason["text"].as_str());
    assert!(
        texts.any(|text| text == "the run was interrupted by Ctrl-C"),
        "{reasons:#?}"
    );
    for file in ["summary.md", "junit.xml"] {
        assert!(home.newest_run_directory().join(file).exists(), "{file}");
    }
}
