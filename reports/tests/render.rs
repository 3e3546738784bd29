//! Every renderer over the golden run: snapshots, and tests that hostile text has no effect.

#![expect(clippy::unwrap_used, reason = "a failed test setup fails the test")]

mod golden;

use std::fs;
use std::time::Duration;

use cutover_reports::record::{
    Criticality, Finding, Outcome, PlannedCheck, Profile, Run, SkipClass, Trial,
};
use cutover_reports::render::terminal::{Terminal, check_line};
use cutover_reports::render::{Html, Json, Junit, Markdown, OUTPUTS, Palette, Render, write_all};
use cutover_reports::verdict::{Decision, Verdict};
use insta::assert_snapshot;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

const PLAIN: Terminal = Terminal {
    palette: Palette::Plain,
    width: 80,
    path: None,
};

/// A terminal that is wide enough for every command.
const WIDE: Terminal = Terminal {
    width: 1_000,
    ..PLAIN
};

/// Every renderer with its name: the report files and the terminal.
fn every_output() -> impl Iterator<Item = (&'static str, &'static dyn Render)> {
    // The golden run has no scenario.
    let of_scenarios = ["faults.txt", "timelines.txt"];
    let usual = OUTPUTS
        .iter()
        .filter(move |it| !of_scenarios.contains(&it.file_name()));
    let files = usual.map(|output| (output.file_name(), *output as &dyn Render));
    files.chain([("terminal", &PLAIN as &dyn Render)])
}

/// Makes the escape sequences of the colours readable.
fn visible(text: &str) -> String {
    text.replace('\u{1b}', "\\e")
}

fn terminal(palette: Palette) -> Terminal {
    Terminal {
        palette,
        path: Some("target/cutover/golden".into()),
        ..Terminal::default()
    }
}

/// Compares the output of every renderer with its snapshot.
fn assert_snapshots(name: &str, (run, verdict): &(Run, Verdict)) {
    for output in OUTPUTS.iter().filter(|output| output.applies_to(run)) {
        let snapshot = format!("{name}_{}", output.file_name());
        assert_snapshot!(snapshot, output.render(run, verdict));
    }
    let plain = terminal(Palette::Plain).render(run, verdict);
    assert_snapshot!(format!("{name}_terminal"), plain);
    let coloured = terminal(Palette::Ansi).render(run, verdict);
    assert_snapshot!(format!("{name}_terminal_in_colour"), visible(&coloured));
}

#[test]
fn the_golden_run_in_every_output() {
    assert_snapshots("golden", &golden::run());
}

#[test]
fn a_passing_run_has_a_short_report() {
    let passing = golden::passing_run();
    assert_eq!(passing.1.decision, Decision::Go);
    assert_snapshots("passing", &passing);
}

#[test]
fn an_empty_record_still_has_a_report() {
    let empty = golden::judged(Run::default());
    assert_eq!(empty.1.decision, Decision::Inconclusive);
    assert_snapshots("empty", &empty);
}

#[test]
fn a_finished_check_has_one_line() {
    let skipped = Outcome::Skipped {
        class: SkipClass::NotApplicable,
        reason: "the contract has no search".to_owned(),
    };
    let errored = Outcome::Errored {
        cause: "connection refused".to_owned(),
    };
    let outcomes = [Outcome::Passed, Outcome::Failed, errored, skipped];
    let line = |palette| {
        let lines = outcomes.iter().zip([3, 1_240, 30_000, 125_000]);
        let lines = lines.map(|(outcome, ms)| {
            let id = "pipeline::every_chunk_has_its_own_vector".parse().unwrap();
            check_line(&id, outcome, Duration::from_millis(ms), palette)
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!("check_lines", line(Palette::Plain));
    assert_snapshot!("check_lines_in_colour", visible(&line(Palette::Ansi)));
}

#[test]
fn the_coloured_report_differs_only_in_colour() {
    let (run, verdict) = golden::run();
    let mut coloured = terminal(Palette::Ansi).render(&run, &verdict);
    while let Some(begin) = coloured.find("\u{1b}[") {
        let end = begin + coloured[begin..].find('m').unwrap();
        coloured.replace_range(begin..=end, "");
    }
    assert_eq!(coloured, terminal(Palette::Plain).render(&run, &verdict));
}

/// The longest kind of id that a suite has.
const LONG_ID: &str =
    "pipeline::a_bad_token_is_refused_everywhere::one_signed_with_a_published_secret";

#[test]
fn a_long_id_breaks_only_after_a_separator() {
    let (mut run, _) = golden::run();
    let failed = |trial: &&mut Trial| trial.outcome() == Some(&Outcome::Failed);
    let trial = run.trials.iter_mut().find(failed).unwrap();
    let old = std::mem::replace(&mut trial.check, LONG_ID.parse().unwrap());
    let plan = run.plan.as_mut().unwrap();
    let check = plan.checks.iter_mut().find(|check| check.id == old);
    check.unwrap().id = LONG_ID.parse().unwrap();
    let (run, verdict) = golden::judged(run);
    let page = PLAIN.render(&run, &verdict);
    let title = "  FAILED    pipeline::a_bad_token_is_refused_everywhere::one_signed_with_a_\n\
                 \x20           published_secret\n";
    assert!(page.contains(title), "{page}");
    let rerun = format!("  rerun     cutover validate \\\n              --check {LONG_ID} \\\n");
    assert!(page.contains(&rerun), "{page}");
    let duration = Duration::from_millis(3);
    let line = check_line(
        &LONG_ID.parse().unwrap(),
        &Outcome::Passed,
        duration,
        Palette::Plain,
    );
    let expected = "  ok        3 ms  pipeline::a_bad_token_is_refused_everywhere::one_signed_with_\n\
                    \x20                 a_published_secret";
    assert_eq!(line, expected);
}

#[test]
fn checks_that_were_not_tried_are_one_line() {
    let (mut run, _) = golden::run();
    let plan = run.plan.as_mut().unwrap();
    let sample = plan.checks.iter().find(|check| check.is_admitted());
    let sample = sample.unwrap().clone();
    for n in 0..12 {
        let check = PlannedCheck {
            id: format!("pipeline::unknown_{n}").parse().unwrap(),
            criticality: Criticality::Advisory,
            ..sample.clone()
        };
        let mut trial = run.trials[0].clone();
        trial.check = check.id.clone();
        trial.findings.clear();
        trial.finished.as_mut().unwrap().0 = Outcome::Skipped {
            class: SkipClass::Blocked,
            reason: "'pipeline::first' failed twice".to_owned(),
        };
        plan.checks.push(check);
        run.trials.push(trial);
    }
    let (run, verdict) = golden::judged(run);
    let of_checks = verdict
        .reasons
        .iter()
        .filter(|it| it.text.contains("unknown_"));
    assert_eq!(of_checks.count(), 12);
    for page in [
        PLAIN.render(&run, &verdict),
        Markdown.render(&run, &verdict),
    ] {
        assert!(page.contains("12 checks: "), "{page}");
        assert!(!page.contains("unknown_"), "{page}");
    }
}

#[test]
fn only_a_line_for_copying_is_wider_than_the_terminal() {
    let (run, verdict) = golden::run();
    for width in [80, 100, 132] {
        let terminal = Terminal { width, ..PLAIN };
        for line in terminal.render(&run, &verdict).lines() {
            let is_copied = line.starts_with("  curl ");
            assert!(is_copied || line.chars().count() <= width, "{line}");
        }
    }
}

#[test]
fn no_terminal_line_begins_with_a_command_for_a_ci_system() {
    let (run, verdict) = golden::run();
    for width in 40..120 {
        let terminal = Terminal { width, ..PLAIN };
        for line in terminal.render(&run, &verdict).lines() {
            assert!(!line.trim_start().starts_with("::"), "{line}");
        }
    }
}

#[test]
fn the_report_files_are_complete_and_no_temporary_file_remains() {
    let (run, verdict) = golden::run();
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let written = write_all(dir.path(), &run, &verdict).unwrap();
        let mut found: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        found.sort();
        let applies = OUTPUTS.iter().filter(|output| output.applies_to(&run));
        let names = applies.map(|output| output.file_name());
        let expected: Vec<_> = names.map(|name| dir.path().join(name)).collect();
        assert_eq!(written, expected);
        let mut written = written;
        written.sort();
        assert_eq!(written, found);
    }
    let text = fs::read_to_string(dir.path().join("verdict.json")).unwrap();
    assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
}

#[test]
fn an_error_names_the_file_that_cannot_be_written() {
    let (run, verdict) = golden::run();
    let dir = tempfile::tempdir().unwrap();
    let error = write_all(&dir.path().join("gone"), &run, &verdict).unwrap_err();
    assert!(error.to_string().contains("gone/junit.xml"), "{error}");
}

#[test]
fn a_command_for_copying_contains_no_injected_text() {
    let (mut run, _) = golden::run();
    let plan = run.plan.as_mut().unwrap();
    plan.target.defect = Some("I-004; rm -rf ~".to_owned());
    plan.profile = Profile::Quick;
    let (run, verdict) = golden::judged(run);
    let page = WIDE.render(&run, &verdict);
    let commands: Vec<_> = page.lines().filter(|it| it.contains("rerun ")).collect();
    assert!(!commands.is_empty());
    for command in commands {
        assert!(command.ends_with(" --profile quick"), "{command}");
    }
}

#[test]
fn a_command_for_copying_quotes_the_target_file() {
    for (file, word) in [
        ("targets/x.toml", Some("targets/x.toml")),
        ("a user's.toml", Some(r"'a user'\''s.toml'")),
        ("two\nlines.toml", None),
    ] {
        let (mut run, _) = golden::run();
        run.plan.as_mut().unwrap().target.file = Some(file.to_owned());
        let (run, verdict) = golden::judged(run);
        let page = WIDE.render(&run, &verdict);
        let rerun = page.lines().find(|line| line.contains("rerun ")).unwrap();
        let named = rerun.split_once(" --target ").map(|(_, rest)| rest);
        let named = named.map(|rest| rest.trim_end_matches(" --defect I-004"));
        assert_eq!(named, word, "{rerun}");
    }
}

#[test]
fn an_impossible_duration_breaks_no_output() {
    for ms in [-1.0, 1.8e22, f64::MAX] {
        let (mut run, _) = golden::run();
        for (_, duration) in run.trials.iter_mut().filter_map(|it| it.finished.as_mut()) {
            *duration = ms;
        }
        let (run, verdict) = golden::judged(run);
        // The golden run measured nothing.
        let is_empty = |name: &str| ["measurements.json", "resources.json"].contains(&name);
        let outputs = every_output().filter(|(name, _)| !is_empty(name));
        for (name, output) in outputs {
            assert!(output.render(&run, &verdict).len() > 1_000, "{name}: {ms}");
        }
    }
}

/// The golden run with this many copies of its checks, each in a suite of its own.
fn large_run(copies: usize) -> (Run, Verdict) {
    let (mut run, _) = golden::run();
    let plan = run.plan.as_mut().unwrap();
    let (checks, trials) = (plan.checks.clone(), run.trials.clone());
    for copy in 0..copies {
        let renamed =
            |id: &cutover_reports::CheckId| format!("suite{copy}::{}", id.name()).parse().unwrap();
        plan.checks.extend(checks.iter().cloned().map(|mut check| {
            check.id = renamed(&check.id);
            check
        }));
        run.trials.extend(trials.iter().cloned().map(|mut trial| {
            trial.check = renamed(&trial.check);
            trial
        }));
    }
    golden::judged(run)
}

#[test]
fn the_reports_of_a_large_run_stay_short() {
    let (run, verdict) = large_run(40);
    assert!(verdict.counts.failed > 150);
    let lines = |text: String| text.lines().count();
    let summary = Markdown.render(&run, &verdict);
    let waivers = verdict.waivers.len() + 3;
    assert!(lines(summary.clone()) < 80 + waivers, "{summary}");
    assert!(lines(PLAIN.render(&run, &verdict)) < 700);
}

#[test]
fn the_page_of_a_thousand_checks_is_small() {
    let (run, verdict) = large_run(80);
    assert!(verdict.checks.len() > 1_000);
    let page = Html.render(&run, &verdict);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

/// Whether the renderer writes this kind of Markdown. Any other kind is injected.
fn is_expected(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Start(Tag::Heading { .. } | Tag::Paragraph | Tag::List(_) | Tag::Item | Tag::Strong)
            | Event::End(_)
            | Event::Text(_)
            | Event::Code(_)
            | Event::SoftBreak
    )
}

fn injected(markdown: &str) -> Vec<Event<'_>> {
    let events = Parser::new_ext(markdown, Options::all());
    events.filter(|event| !is_expected(event)).collect()
}

#[test]
fn a_summary_contains_no_injected_markup() {
    let (run, verdict) = golden::run();
    assert_eq!(injected(&Markdown.render(&run, &verdict)), []);
}

/// Texts with characters that some reader interprets.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        "[`*_<>&\\[\\]()#|:!~$\\\\\"' \n\t-]{1,8}",
        "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2066}-\u{2069}\u{fffe}]",
        prop_oneof![
            "]]>",
            "</failure>",
            "```",
            "::error::x",
            "<!--",
            "\u{1b}]0;x\u{7}",
            "@you"
        ],
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// The golden run with this text in a failed check and in the plan.
fn with_text(text: &str) -> (Run, Verdict) {
    let (mut run, _) = golden::run();
    let failed = |trial: &&mut Trial| trial.outcome() == Some(&Outcome::Failed);
    let trial = run.trials.iter_mut().find(failed).unwrap();
    trial.findings = vec![Finding::new(text).comparing(text, text)];
    trial.finished = Some((Outcome::Failed, 1.0));
    let plan = run.plan.as_mut().unwrap();
    text.clone_into(&mut plan.run);
    text.clone_into(&mut plan.target.name);
    plan.target.defect = Some(text.to_owned());
    plan.checks
        .iter_mut()
        .for_each(|check| text.clone_into(&mut check.statement));
    for rule in &mut plan.rules {
        text.clone_into(&mut rule.statement);
        text.clone_into(&mut rule.remedy);
        rule.unproved = rule.unproved.as_ref().map(|_| text.to_owned());
    }
    golden::judged(run)
}

fn is_interpreted(c: char) -> bool {
    let invisible = [
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
    ];
    (c.is_control() && c != '\n')
        || invisible.iter().any(|range| range.contains(&c))
        || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_output_contains_a_character_or_markup_that_a_reader_interprets(text in hostile()) {
        let (run, verdict) = with_text(&text);
        for (output, renderer) in every_output() {
            let shown = renderer.render(&run, &verdict);
            let found = shown.chars().find(|c| is_interpreted(*c));
            prop_assert_eq!(found, None, "{}", output);
        }
        let summary = Markdown.render(&run, &verdict);
        prop_assert_eq!(injected(&summary), []);
        let xml = Junit.render(&run, &verdict);
        let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
        let rules = run.plan.as_ref().unwrap().rules.len();
        prop_assert_eq!(report.tests, verdict.checks.len() + 1 + rules);
        let json = Json.render(&run, &verdict);
        prop_assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
    }
}
