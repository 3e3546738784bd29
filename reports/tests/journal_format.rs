//! The file formats of a run directory: version 1 stays readable, and a newer version is rejected by its number.

#![expect(clippy::unwrap_used, reason = "a failed test setup fails the test")]

use std::fs;
use std::path::Path;

use cutover_reports::record::{Event, JournalEntry, Outcome, RunEvent, RunJournalEntry, SkipClass};
use cutover_reports::{Plan, Run, Verdict};
use tempfile::TempDir;

const PLAN: &str = r#"{"v":1,"run":"r1","created_at":"2026-11-24T12:00:00Z","cutover":"0.1.0","profile":"gate","seed":7,"target":{"name":"local","class":"local","stack":"processes"},"selection":{"suites":[],"filters":[]},"checks":[{"id":"pipeline::a","statement":"it is so","severity":"high","criticality":"required","effect":"write_tenant","needs":["http"],"timeout_ms":1000,"takes_ms":0,"source":{"file":"a.rs","line":3},"admission":"admitted"},{"id":"pipeline::b","statement":"it is so","severity":"low","criticality":"advisory","effect":"read","needs":[],"timeout_ms":1000,"takes_ms":0,"source":{"file":"a.rs","line":4},"admission":{"refused":{"class":"filtered","reason":"not asked"}}}]}"#;

/// Every kind of line in the journal of a version 1 run, byte for byte.
const RUN_JOURNAL: &[&str] = &[
    r#"{"v":1,"at":"2026-11-24T12:00:01Z","event":{"identified":{"identity":{"commit":"abc"}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01Z","event":{"machine":{"cpus":2,"model":"a processor","os":"linux 6.1"}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01Z","event":{"generator_tested":{"results":[{"what":"a delay, ms","expected":10.0,"measured":10.5,"holds":true}]}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01Z","event":{"compared":{"baseline":"main","runs":8,"result":"failed","reasons":["a rate is worse by 20 %"]}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:02Z","event":{"incident":{"what":"the stack died"}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:02Z","event":{"leaked":{"file":"trials/a.1.jsonl"}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:02Z","event":{"carried":{"link":"database","connections":3,"sent_bytes":120,"received_bytes":4096}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:03Z","event":{"interrupted":{"by":"SIGTERM"}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:04Z","event":{"finished":{"duration_ms":4000.0}}}"#,
];

/// Every kind of line in the journal of a version 1 trial, byte for byte.
const TRIAL_JOURNAL: &[&str] = &[
    r#"{"v":1,"at":"2026-11-24T12:00:01Z","event":{"started":{"check":"pipeline::a","attempt":1}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"evidence":{"http":{"surface":"api","method":"POST","url":"http://127.0.0.1/upload","request_headers":[["accept","*/*"]],"request_body":{"bytes":2,"text":"{}","truncated":false},"correlation_id":"c1","status":200,"response_headers":[],"response_body":{"bytes":2,"text":"{}","truncated":false},"elapsed_ms":1.5,"curl":"curl http://127.0.0.1/upload"}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"evidence":{"http":{"surface":"api","method":"GET","url":"http://127.0.0.1/","request_headers":[],"correlation_id":"c2","status":null,"response_headers":[],"error":"connection refused","elapsed_ms":1.5,"curl":"curl http://127.0.0.1/"}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"evidence":{"sql":{"sql":"select $1","parameters":["1"],"row_count":1,"rows":[{"one":1}],"elapsed_ms":0.5}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"evidence":{"wait":{"what":"the job is done","elapsed_ms":30.0,"attempts":3,"satisfied":true,"last":"done"}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"evidence":{"observed":{"surface":"stand-ins","summary":"two calls","value":{"calls":2}}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"finding":{"summary":"it is not so","expected":"1","actual":"2"}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"finding":{"summary":"it is not so","observation":1,"context":[3,4]}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:02Z","event":{"finished":{"outcome":"failed","duration_ms":1000.0}}}"#,
];

/// The other outcomes of a version 1 trial.
fn outcomes() -> [(&'static str, Outcome); 5] {
    let panicked = Outcome::Errored {
        cause: "a panic".to_owned(),
    };
    let no_route = skipped(SkipClass::NotApplicable, "no such route");
    let no_database = skipped(SkipClass::PreconditionMissing, "no database");
    [
        (r#""passed""#, Outcome::Passed),
        (r#"{"errored":{"cause":"a panic"}}"#, panicked),
        (
            r#"{"skipped":{"class":"not_applicable","reason":"no such route"}}"#,
            no_route,
        ),
        (
            r#"{"skipped":{"class":"precondition_missing","reason":"no database"}}"#,
            no_database,
        ),
        (
            r#"{"skipped":{"class":"blocked","reason":"no document completes"}}"#,
            skipped(SkipClass::Blocked, "no document completes"),
        ),
    ]
}

fn skipped(class: SkipClass, reason: &str) -> Outcome {
    Outcome::Skipped {
        class,
        reason: reason.to_owned(),
    }
}

fn text(lines: &[&str]) -> String {
    lines.join("\n") + "\n"
}

/// Loads a version 1 run directory after a change.
fn load(change: impl FnOnce(&Path)) -> Run {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("trials")).unwrap();
    write(dir.path(), "plan.json", PLAN);
    write(dir.path(), "run.jsonl", &text(RUN_JOURNAL));
    write(dir.path(), "trials/a.jsonl", &text(TRIAL_JOURNAL));
    change(dir.path());
    Run::load(dir.path()).unwrap()
}

fn write(dir: &Path, file: &str, text: &str) {
    fs::write(dir.join(file), text).unwrap();
}

/// The errors about the files of a version 1 run directory after a change.
fn file_errors(change: impl FnOnce(&Path)) -> Vec<String> {
    let unreadable = load(change).unreadable.into_iter();
    unreadable
        .map(|file| format!("{}: {}", file.file, file.reason))
        .collect()
}

#[test]
fn a_version_1_run_directory_loads_completely() {
    let run = load(|_| {});
    assert_eq!(run.unreadable, []);
    assert_eq!(run.plan.unwrap().checks.len(), 2);
    assert_eq!(run.journal.len(), RUN_JOURNAL.len());
    let [trial] = run.trials.as_slice() else {
        panic!("expected one trial for one journal: {:?}", run.trials);
    };
    assert_eq!(trial.evidence.len(), 5);
    assert_eq!(trial.findings.len(), 2);
    assert_eq!(trial.finished, Some((Outcome::Failed, 1000.0)));
}

#[test]
fn this_build_writes_version_1_byte_for_byte() {
    for text in TRIAL_JOURNAL {
        let entry: JournalEntry = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&entry).unwrap(), *text);
    }
    for text in RUN_JOURNAL {
        let entry: RunJournalEntry = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&entry).unwrap(), *text);
    }
    let plan: Plan = serde_json::from_str(PLAN).unwrap();
    assert_eq!(serde_json::to_string(&plan).unwrap(), PLAN);
    for (text, outcome) in outcomes() {
        assert_eq!(serde_json::to_string(&outcome).unwrap(), text);
        assert_eq!(serde_json::from_str::<Outcome>(text).unwrap(), outcome);
    }
}

/// A verdict of version 1 without the reasons of skipped checks, which later builds add.
const VERDICT: &str = r#"{"v":1,"decision":"go","reason":null,"reasons":[],"run":"r1","policy":"p","judged_at":"2026-11-24T12:00:00Z","duration_ms":1.0,"counts":{"planned":1,"passed":0,"failed":0,"errored":0,"skipped":1,"not_run":0},"suites":[],"checks":[{"id":"pipeline::a","statement":"it is so","severity":"high","criticality":"required","status":"skipped","detail":"filtered","duration_ms":null,"attempts":0}]}"#;

#[test]
fn a_verdict_without_skip_reasons_stays_readable() {
    let verdict: Verdict = serde_json::from_str(VERDICT).unwrap();
    assert_eq!(verdict.counts.skipped, 1);
    assert_eq!(verdict.counts.not_selected, 0);
    assert_eq!(verdict.checks[0].skip, None);
}

#[test]
fn unknown_keys_are_ignored() {
    let plan = PLAN.replace(r#""seed":7"#, r#""seed":7,"note":"x""#);
    let wider = |line: &&str| {
        line.replace(r#""v":1"#, r#""v":1,"host":"a""#)
            .replace(r#""summary":"#, r#""rule":"r1","summary":"#)
            .replace(r#""attempt":1"#, r#""attempt":1,"lane":2"#)
            .replace(
                r#""duration_ms":1000.0"#,
                r#""duration_ms":1000.0,"cpu_ms":3"#,
            )
    };
    let lines: Vec<String> = TRIAL_JOURNAL.iter().map(wider).collect();
    let wide = load(|dir| {
        write(dir, "plan.json", &plan);
        write(dir, "trials/a.jsonl", &lines.join("\n"));
    });
    assert_eq!(wide, load(|_| {}));
}

#[test]
fn an_unsupported_version_is_rejected_with_its_number_and_line() {
    let newer = r#"{"v":2,"at":"soon","what":[]}"#;
    let cases: [(&str, String, &str); 4] = [
        (
            "plan.json",
            newer.to_owned(),
            "plan.json: format version 2 is not supported; this cutover reads 1 to 1",
        ),
        (
            "run.jsonl",
            format!("{}{newer}\n", text(&RUN_JOURNAL[..2])),
            "run.jsonl: line 3: format version 2 is not supported; this cutover reads 1 to 1",
        ),
        (
            "trials/a.jsonl",
            format!("{}{newer}\n", text(&TRIAL_JOURNAL[..1])),
            "trials/a.jsonl: line 2: format version 2 is not supported; this cutover reads 1 to 1",
        ),
        (
            "trials/a.jsonl",
            TRIAL_JOURNAL[0].replace(r#""v":1"#, r#""v":0"#),
            "trials/a.jsonl: line 1: format version 0 is not supported; this cutover reads 1 to 1",
        ),
    ];
    for (file, text, error) in cases {
        assert_eq!(file_errors(|dir| write(dir, file, &text)), [error]);
    }
}

#[test]
fn a_damaged_file_is_reported_and_the_others_load() {
    let started_twice = text(&[TRIAL_JOURNAL[0], TRIAL_JOURNAL[0]]);
    let ended_twice = text(&[
        TRIAL_JOURNAL[0],
        TRIAL_JOURNAL[8],
        &TRIAL_JOURNAL[8].replace("\"failed\"", "\"passed\""),
    ]);
    let truncated = &text(TRIAL_JOURNAL)[..TRIAL_JOURNAL[0].len() + 40];
    for (damaged, error) in [
        ("", "trials/a.jsonl: expected one 'started' line"),
        (&started_twice, "trials/a.jsonl: expected one 'started'"),
        (&ended_twice, "trials/a.jsonl: expected one 'started' line"),
        (
            &text(&TRIAL_JOURNAL[1..]),
            "trials/a.jsonl: expected one 'started'",
        ),
        (truncated, "trials/a.jsonl: line 2: EOF while parsing"),
        ("\0\0\0\n", "trials/a.jsonl: line 1: expected value"),
    ] {
        let run = load(|dir| write(dir, "trials/a.jsonl", damaged));
        let [unreadable] = run.unreadable.as_slice() else {
            panic!("{damaged:?}: {:?}", run.unreadable);
        };
        let found = format!("{}: {}", unreadable.file, unreadable.reason);
        assert!(found.starts_with(error), "{found}");
        assert!(run.plan.is_some() && run.journal.len() == RUN_JOURNAL.len());
    }
}

#[test]
fn a_missing_file_is_reported() {
    for file in ["plan.json", "run.jsonl"] {
        let errors = file_errors(|dir| fs::remove_file(dir.join(file)).unwrap());
        assert!(
            errors.len() == 1 && errors[0].starts_with(file),
            "{file}: {errors:?}"
        );
    }
}

#[test]
fn a_missing_directory_is_an_error_that_names_it() {
    let error = Run::load(Path::new("/no/such/run")).unwrap_err();
    assert!(error.to_string().contains("'/no/such/run'"), "{error}");
}

#[test]
fn a_directory_without_a_run_is_an_error_that_names_the_missing_files() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("trials")).unwrap();
    let error = Run::load(dir.path()).unwrap_err().to_string();
    for name in [&*dir.path().to_string_lossy(), "plan.json", "run.jsonl"] {
        assert!(error.contains(name), "'{name}' is not in: {error}");
    }
}

/// Numbers the kinds of events. A new kind does not compile without a number here.
fn trial_event_kind(line: &str) -> usize {
    match serde_json::from_str::<JournalEntry>(line).unwrap().event {
        Event::Started { .. } => 0,
        Event::Evidence(_) => 1,
        Event::Finding(_) => 2,
        Event::Finished { .. } => 3,
    }
}

fn run_event_kind(line: &str) -> usize {
    match serde_json::from_str::<RunJournalEntry>(line).unwrap().event {
        RunEvent::Identified { .. } => 0,
        RunEvent::Machine(_) => 1,
        RunEvent::GeneratorTested { .. } => 2,
        RunEvent::Compared { .. } => 3,
        RunEvent::Incident { .. } => 4,
        RunEvent::Leaked { .. } => 5,
        RunEvent::LinkTraffic { .. } => 6,
        RunEvent::Interrupted { .. } => 7,
        RunEvent::Finished { .. } => 8,
    }
}

#[test]
fn every_kind_of_event_has_a_line_in_this_test() {
    for (lines, kind) in [
        (TRIAL_JOURNAL, trial_event_kind as fn(&str) -> usize),
        (RUN_JOURNAL, run_event_kind),
    ] {
        let mut kinds: Vec<_> = lines.iter().map(|line| kind(line)).collect();
        kinds.dedup();
        let last = kinds.last().copied().unwrap_or_default();
        assert!(kinds.iter().copied().eq(0..=last) && last >= 3, "{kinds:?}");
    }
}
