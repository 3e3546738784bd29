//! `cutover torment`: a schedule is followed, its failure is shrunk, and a wrong one is refused before anything runs.

use cutover_test_support::output_text;

use crate::test_home;

/// A document is uploaded, and deleted when it is complete.
const DELETION: &str = r#"[
    { "at_ms": 0, "action": "upload" },
    { "at_ms": 2500, "action": "delete" },
    { "at_ms": 2500, "action": "retry" }
]"#;

#[test]
fn a_schedule_that_loses_nothing_passes() {
    let home = test_home();
    home.write("deletion.json", DELETION);
    let walked = home.run(["torment", "--schedule", "deletion.json"]);
    let text = output_text(&walked);
    assert_eq!(walked.status.code(), Some(0), "{text}");
    assert!(text.contains("the schedule · passed in"), "{text}");
}

#[test]
fn a_schedule_that_fails_is_shrunk() {
    let home = test_home();
    home.write("deletion.json", DELETION);
    let defect = ["torment", "--defect", "deletion-pretended"];
    let walked = home.run([&defect[..], &["--schedule", "deletion.json"]].concat());
    let text = output_text(&walked);
    assert_eq!(walked.status.code(), Some(1), "{text}");
    assert!(text.contains("has 2 of 3 steps"), "{text}");
    let (_, repeat) = text.split_once("cutover torment --schedule ").unwrap();
    let shrunk = home.read(repeat.split_whitespace().next().unwrap());
    let shrunk: serde_json::Value = serde_json::from_str(&shrunk).unwrap();
    let actions = ["upload", "delete"].map(serde_json::Value::from);
    assert_eq!(
        [&shrunk[0]["action"], &shrunk[1]["action"]],
        actions.each_ref()
    );
    assert!(shrunk[2].is_null(), "{shrunk}");
}

#[test]
fn a_wrong_step_is_named_and_nothing_runs() {
    let home = test_home();
    let wrong = r#"[{ "at_ms": 0, "action": "upload" }, { "at_ms": 1, "action": "explode" }]"#;
    home.write("wrong.json", wrong);
    let walked = home.run(["torment", "--schedule", "wrong.json"]);
    let text = output_text(&walked);
    assert_eq!(walked.status.code(), Some(2), "{text}");
    assert!(
        text.contains("wrong.json") && text.contains("step 2"),
        "{text}"
    );
    assert!(text.contains("explode"), "{text}");
    assert!(!home.path("target/cutover").exists(), "something ran");
}
