//! The files of a run directory across versions: what was written stays readable, what is newer is refused by its number.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot set up fails the test"
)]

use std::fs;
use std::path::Path;

use cutover_reports::record::{Event, Line, Outcome, RunEvent, RunLine, SkipClass};
use cutover_reports::{Plan, Run};
use tempfile::TempDir;

const PLAN: &str = r#"{"v":1,"run":"r1","created_at":"2026-11-24T12:00:00Z","cutover":"0.1.0","profile":"gate","seed":7,"target":{"name":"local","class":"local","stack":"processes"},"selection":{"suites":[],"filters":[]},"checks":[{"id":"pipeline::a","statement":"it is so","severity":"high","criticality":"required","effect":"write_tenant","needs":["http"],"timeout_ms":1000,"takes_ms":0,"source":{"file":"a.rs","line":3},"admission":"admitted"},{"id":"pipeline::b","statement":"it is so","severity":"low","criticality":"advisory","effect":"read","needs":[],"timeout_ms":1000,"takes_ms":0,"source":{"file":"a.rs","line":4},"admission":{"refused":{"class":"filtered","reason":"not asked"}}}]}"#;

/// Every kind of line that version 1 has in a run's journal, byte for byte.
const LIFE: &[&str] = &[
    r#"{"v":1,"at":"2026-11-24T12:00:01Z","event":{"identified":{"identity":{"commit":"abc"}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:02Z","event":{"incident":{"what":"the stack died"}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:02Z","event":{"leaked":{"file":"trials/a.1.jsonl"}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:02Z","event":{"carried":{"link":"database","connections":3,"sent_bytes":120,"received_bytes":4096}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:03Z","event":{"interrupted":{"by":"SIGTERM"}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:04Z","event":{"finished":{"duration_ms":4000.0}}}"#,
];

/// Every kind of line that version 1 has in a trial's journal, byte for byte.
const TRIAL: &[&str] = &[
    r#"{"v":1,"at":"2026-11-24T12:00:01Z","event":{"started":{"check":"pipeline::a","attempt":1}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"evidence":{"http":{"surface":"api","method":"POST","url":"http://127.0.0.1/upload","request_headers":[["accept","*/*"]],"request_body":{"bytes":2,"text":"{}","truncated":false},"correlation_id":"c1","status":200,"response_headers":[],"response_body":{"bytes":2,"text":"{}","truncated":false},"elapsed_ms":1.5,"curl":"curl http://127.0.0.1/upload"}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"evidence":{"http":{"surface":"api","method":"GET","url":"http://127.0.0.1/","request_headers":[],"correlation_id":"c2","status":null,"response_headers":[],"error":"connection refused","elapsed_ms":1.5,"curl":"curl http://127.0.0.1/"}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"evidence":{"sql":{"sql":"select $1","parameters":["1"],"row_count":1,"rows":[{"one":1}],"elapsed_ms":0.5}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"evidence":{"wait":{"what":"the job is done","elapsed_ms":30.0,"attempts":3,"satisfied":true,"last":"done"}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"evidence":{"observed":{"surface":"stand-ins","summary":"two calls","value":{"calls":2}}}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:01.5Z","event":{"finding":{"summary":"it is not so","expected":"1","actual":"2"}}}"#,
    r#"{"v":1,"at":"2026-11-24T12:00:02Z","event":{"finished":{"outcome":"failed","duration_ms":1000.0}}}"#,
];

/// The other ways in which a trial of version 1 ends.
fn ends() -> [(&'static str, Outcome); 4] {
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

/// A run directory of version 1, changed.
fn load(change: impl FnOnce(&Path)) -> Run {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("trials")).unwrap();
    write(dir.path(), "plan.json", PLAN);
    write(dir.path(), "run.jsonl", &text(LIFE));
    write(dir.path(), "trials/a.jsonl", &text(TRIAL));
    change(dir.path());
    Run::load(dir.path()).unwrap()
}

fn write(dir: &Path, file: &str, text: &str) {
    fs::write(dir.join(file), text).unwrap();
}

/// What a run directory says is wrong with its files.
fn complaints(change: impl FnOnce(&Path)) -> Vec<String> {
    let unreadable = load(change).unreadable.into_iter();
    unreadable
        .map(|file| format!("{}: {}", file.file, file.reason))
        .collect()
}

#[test]
fn what_version_1_wrote_is_read_whole() {
    let run = load(|_| {});
    assert_eq!(run.unreadable, []);
    assert_eq!(run.plan.unwrap().checks.len(), 2);
    assert_eq!(run.life.len(), LIFE.len());
    let [trial] = run.trials.as_slice() else {
        panic!("one journal is one trial: {:?}", run.trials);
    };
    assert_eq!(trial.evidence.len(), 5);
    assert_eq!(trial.findings.len(), 1);
    assert_eq!(trial.finished, Some((Outcome::Failed, 1000.0)));
}

#[test]
fn what_is_written_today_is_version_1_byte_for_byte() {
    for text in TRIAL {
        let line: Line = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&line).unwrap(), *text);
    }
    for text in LIFE {
        let line: RunLine = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&line).unwrap(), *text);
    }
    let plan: Plan = serde_json::from_str(PLAN).unwrap();
    assert_eq!(serde_json::to_string(&plan).unwrap(), PLAN);
    for (text, outcome) in ends() {
        assert_eq!(serde_json::to_string(&outcome).unwrap(), text);
        assert_eq!(serde_json::from_str::<Outcome>(text).unwrap(), outcome);
    }
}

#[test]
fn keys_that_a_later_writer_adds_are_passed_over() {
    let plan = PLAN.replace(r#""seed":7"#, r#""seed":7,"mood":"fine""#);
    let wider = |line: &&str| {
        line.replace(r#""v":1"#, r#""v":1,"host":"a""#)
            .replace(r#""summary":"#, r#""rule":"r1","summary":"#)
            .replace(r#""attempt":1"#, r#""attempt":1,"lane":2"#)
            .replace(
                r#""duration_ms":1000.0"#,
                r#""duration_ms":1000.0,"cpu_ms":3"#,
            )
    };
    let lines: Vec<String> = TRIAL.iter().map(wider).collect();
    let wide = load(|dir| {
        write(dir, "plan.json", &plan);
        write(dir, "trials/a.jsonl", &lines.join("\n"));
    });
    assert_eq!(wide, load(|_| {}));
}

#[test]
fn a_newer_format_is_refused_by_its_number_and_its_line() {
    let newer = r#"{"v":2,"at":"soon","what":[]}"#;
    let cases: [(&str, String, &str); 4] = [
        (
            "plan.json",
            newer.to_owned(),
            "plan.json: format version 2 is not supported; this cutover reads 1 to 1",
        ),
        (
            "run.jsonl",
            format!("{}{newer}\n", text(&LIFE[..2])),
            "run.jsonl: line 3: format version 2 is not supported; this cutover reads 1 to 1",
        ),
        (
            "trials/a.jsonl",
            format!("{}{newer}\n", text(&TRIAL[..1])),
            "trials/a.jsonl: line 2: format version 2 is not supported; this cutover reads 1 to 1",
        ),
        (
            "trials/a.jsonl",
            TRIAL[0].replace(r#""v":1"#, r#""v":0"#),
            "trials/a.jsonl: line 1: format version 0 is not supported; this cutover reads 1 to 1",
        ),
    ];
    for (file, text, complaint) in cases {
        assert_eq!(complaints(|dir| write(dir, file, &text)), [complaint]);
    }
}

#[test]
fn a_damaged_file_is_named_and_the_others_are_read() {
    let started_twice = text(&[TRIAL[0], TRIAL[0]]);
    let ended_twice = text(&[
        TRIAL[0],
        TRIAL[7],
        &TRIAL[7].replace("\"failed\"", "\"passed\""),
    ]);
    let torn = &text(TRIAL)[..TRIAL[0].len() + 40];
    for (damaged, complaint) in [
        ("", "trials/a.jsonl: it is not one 'started' line"),
        (&started_twice, "trials/a.jsonl: it is not one 'started'"),
        (&ended_twice, "trials/a.jsonl: it is not one 'started' line"),
        (
            &text(&TRIAL[1..]),
            "trials/a.jsonl: it is not one 'started'",
        ),
        (torn, "trials/a.jsonl: line 2: EOF while parsing"),
        ("\0\0\0\n", "trials/a.jsonl: line 1: expected value"),
    ] {
        let run = load(|dir| write(dir, "trials/a.jsonl", damaged));
        let [unreadable] = run.unreadable.as_slice() else {
            panic!("{damaged:?}: {:?}", run.unreadable);
        };
        let said = format!("{}: {}", unreadable.file, unreadable.reason);
        assert!(said.starts_with(complaint), "{said}");
        assert!(run.plan.is_some() && run.life.len() == LIFE.len());
    }
}

#[test]
fn a_file_that_is_missing_is_named() {
    for file in ["plan.json", "run.jsonl"] {
        let said = complaints(|dir| fs::remove_file(dir.join(file)).unwrap());
        assert!(
            said.len() == 1 && said[0].starts_with(file),
            "{file}: {said:?}"
        );
    }
}

#[test]
fn a_directory_that_is_not_there_is_an_error_that_names_it() {
    let error = Run::load(Path::new("/no/such/run")).unwrap_err();
    assert!(error.to_string().contains("'/no/such/run'"), "{error}");
}

/// Numbers the kinds of event; a new one does not compile until it has a number and a line above.
fn kind_in_a_trial(line: &str) -> usize {
    match serde_json::from_str::<Line>(line).unwrap().event {
        Event::Started { .. } => 0,
        Event::Evidence(_) => 1,
        Event::Finding(_) => 2,
        Event::Finished { .. } => 3,
    }
}

fn kind_in_a_life(line: &str) -> usize {
    match serde_json::from_str::<RunLine>(line).unwrap().event {
        RunEvent::Identified { .. } => 0,
        RunEvent::Incident { .. } => 1,
        RunEvent::Leaked { .. } => 2,
        RunEvent::Carried { .. } => 3,
        RunEvent::Interrupted { .. } => 4,
        RunEvent::Finished { .. } => 5,
    }
}

#[test]
fn every_kind_of_event_has_its_line_above() {
    for (lines, kind) in [
        (TRIAL, kind_in_a_trial as fn(&str) -> usize),
        (LIFE, kind_in_a_life),
    ] {
        let mut kinds: Vec<_> = lines.iter().map(|line| kind(line)).collect();
        kinds.dedup();
        let last = kinds.last().copied().unwrap_or_default();
        assert!(kinds.iter().copied().eq(0..=last) && last >= 3, "{kinds:?}");
    }
}
