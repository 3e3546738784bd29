//! A calibration as text: a line per validation, a table for the terminal and a page in markdown.

use super::outcome::ValidationOutcome;
use super::result::Calibration;

/// One line about an outcome.
pub(crate) fn line(outcome: &ValidationOutcome) -> String {
    format!(
        "  {:<11}  {:<10}  {:<12}  {:>5.1} s  {}",
        outcome.ruling.name(),
        outcome.id,
        decision(outcome),
        outcome.elapsed.as_secs_f64(),
        detected_by(outcome, ""),
    )
}

/// The calibration as text for a terminal.
pub(crate) fn text(calibration: &Calibration) -> String {
    let mut lines: Vec<_> = calibration.outcomes.iter().map(line).collect();
    lines.push(String::new());
    lines.extend(
        unexpected(calibration).map(|outcome| format!("{}: {}", outcome.id, explanation(outcome))),
    );
    lines.push(format!("detected      {}", calibration.detection));
    lines.push(format!("false alarms  {}", calibration.false_alarms));
    if let Some(passed) = calibration.passed_alone {
        lines.extend(passed_alone(calibration).map(|line| format!("passed alone: {line}")));
        lines.push(format!("passed alone  {passed}"));
    }
    if let Some(by) = calibration.interrupted {
        lines.push(format!(
            "interrupted by {by}: subjects that were not validated are not counted"
        ));
    }
    lines.join("\n")
}

/// The calibration as a markdown page.
pub(crate) fn markdown(calibration: &Calibration) -> String {
    let mut lines = vec![
        format!("# Calibration {}", calibration.id),
        String::new(),
        format!("- detected: {}", calibration.detection),
        format!("- false alarms: {}", calibration.false_alarms),
    ];
    if let Some(passed) = calibration.passed_alone {
        lines.push(format!(
            "- checks that detected a defect and passed alone: {passed}"
        ));
        lines.extend(passed_alone(calibration).map(|line| format!("  - {line}")));
    }
    let settings = &calibration.settings;
    if !settings.suites.is_empty() {
        lines.push(format!("- suites: {}", settings.suites.join(", ")));
    }
    if let Some(seed) = settings.sample_seed {
        lines.push(format!("- a sample of the defects, drawn with seed {seed}"));
    }
    if let Some(by) = calibration.interrupted {
        lines.push(format!(
            "- interrupted by {by}: subjects that were not validated are not counted"
        ));
    }
    if let [_, kind] = settings.stack.as_slice() {
        lines.push(format!("- backend of every stack: {kind}"));
    }
    lines.push(if settings.no_early_stop {
        "- every validation ran all checks".to_owned()
    } else {
        "- a validation ended as soon as a check had detected its defect".to_owned()
    });
    lines.push(format!(
        "- {} s, {} validations in parallel",
        calibration.seconds, settings.jobs
    ));
    lines.extend([
        String::new(),
        "| Defect | What is wrong | Ruling | Verdict | Detected by | Seconds |".to_owned(),
        "|---|---|---|---|---|---:|".to_owned(),
    ]);
    lines.extend(calibration.outcomes.iter().map(row));
    let mut failures = unexpected(calibration).peekable();
    if failures.peek().is_some() {
        lines.extend([
            String::new(),
            "## Unexpected outcomes".to_owned(),
            String::new(),
        ]);
        lines.extend(
            failures.map(|outcome| format!("- {}: {}", outcome.id, cell(&explanation(outcome)))),
        );
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Each check that detected a defect and passed alone, with the defect.
fn passed_alone(calibration: &Calibration) -> impl Iterator<Item = String> {
    calibration.outcomes.iter().flat_map(|outcome| {
        let passed = outcome.reruns.iter().filter(|rerun| !rerun.failed);
        passed.map(|rerun| format!("{} {}", outcome.id, rerun.check))
    })
}

fn row(outcome: &ValidationOutcome) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {:.1} |",
        outcome.id,
        cell(outcome.title),
        outcome.ruling.name(),
        decision(outcome),
        detected_by(outcome, "`"),
        outcome.elapsed.as_secs_f64(),
    )
}

fn unexpected(calibration: &Calibration) -> impl Iterator<Item = &ValidationOutcome> {
    let outcomes = calibration.outcomes.iter();
    outcomes.filter(|outcome| !outcome.ruling.is_right())
}

/// Why an outcome is not the expected one.
fn explanation(outcome: &ValidationOutcome) -> String {
    let mut text = format!(
        "{} ({}) {}",
        outcome.title,
        decision(outcome),
        outcome
            .reason
            .as_deref()
            .unwrap_or("no reason against a GO"),
    );
    if !outcome.other_failures.is_empty() {
        let other_failures: Vec<_> = outcome
            .other_failures
            .iter()
            .map(ToString::to_string)
            .collect();
        text.push_str("; other checks that failed: ");
        text.push_str(&other_failures.join(", "));
    }
    // Text from the system under test may contain control characters.
    text.replace(char::is_control, " ")
}

fn decision(outcome: &ValidationOutcome) -> &'static str {
    outcome
        .decision
        .map_or("no verdict", |decision| decision.name())
}

/// The first check that detected the defect, and the number of others.
fn detected_by(outcome: &ValidationOutcome, quote: &str) -> String {
    match outcome.detected_by.as_slice() {
        [] => "–".to_owned(),
        [only] => format!("{quote}{only}{quote}"),
        [first, more @ ..] => format!("{quote}{first}{quote} (+{})", more.len()),
    }
}

/// Escapes text for a table cell; it may come from the system under test.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cutover_reports::verdict::Decision;

    use super::*;
    use crate::calibration::outcome::{RerunOutcome, Ruling};
    use crate::calibration::{Rerun, Settings};

    fn outcome(
        id: &str,
        ruling: Ruling,
        decision: Option<Decision>,
        detected_by: &[&str],
    ) -> ValidationOutcome {
        ValidationOutcome {
            id: id.to_owned(),
            title: "Two workers run one job.",
            ruling,
            decision,
            detected_by: detected_by.iter().map(|id| id.parse().unwrap()).collect(),
            other_failures: Vec::new(),
            reruns: Vec::new(),
            reason: None,
            elapsed: Duration::from_millis(9_840),
        }
    }

    fn calibration() -> Calibration {
        let once = "pipeline::two_workers_do_each_job_once";
        let hostile = "a | b <script>\nc";
        let outcomes = vec![
            outcome("C-01", Ruling::Detected, Some(Decision::NoGo), &[once]),
            outcome(
                "C-02",
                Ruling::Detected,
                Some(Decision::NoGo),
                &[once, "pipeline::the_limit_holds::daily"],
            ),
            ValidationOutcome {
                other_failures: vec![once.parse().unwrap()],
                reason: Some(hostile.to_owned()),
                ..outcome("C-03", Ruling::Misblamed, Some(Decision::NoGo), &[])
            },
            outcome("C-04", Ruling::Missed, Some(Decision::Go), &[]),
            outcome("healthy-1", Ruling::Sound, Some(Decision::Go), &[]),
            outcome("healthy-2", Ruling::FalseAlarm, None, &[]),
        ];
        let settings = Settings {
            suites: vec!["pipeline".to_owned()],
            sample_seed: Some(42),
            jobs: 2,
            no_early_stop: false,
            rerun: None,
            stack: Vec::new(),
        };
        let elapsed = Duration::from_secs(31);
        Calibration::new(
            "20260102T030405Z-abcdef".to_owned(),
            settings,
            outcomes,
            elapsed,
        )
    }

    #[test]
    fn a_calibration_on_a_terminal() {
        insta::assert_snapshot!(text(&calibration()));
    }

    #[test]
    fn a_calibration_as_a_page() {
        insta::assert_snapshot!(markdown(&calibration()));
    }

    #[test]
    fn a_check_that_passes_alone_makes_the_calibration_fail() {
        let check = "pipeline::two_workers_do_each_job_once";
        let calibrated = |failed| {
            let rerun = RerunOutcome {
                check: check.parse().unwrap(),
                failed,
            };
            let detected = ValidationOutcome {
                reruns: vec![rerun],
                ..outcome("C-01", Ruling::Detected, Some(Decision::NoGo), &[check])
            };
            let settings = Settings {
                rerun: Some(Rerun::First),
                ..Settings::default()
            };
            Calibration::new(String::new(), settings, vec![detected], Duration::ZERO)
        };
        assert!(calibrated(true).is_right());
        let wrong = calibrated(false);
        assert!(!wrong.is_right());
        assert!(text(&wrong).contains(&format!("passed alone: C-01 {check}")));
        assert!(markdown(&wrong).contains("passed alone: 1 of 1"));
    }

    #[test]
    fn one_unexpected_outcome_makes_the_calibration_fail() {
        let calibration = calibration();
        assert!(!calibration.is_right());
        let right = calibration
            .outcomes
            .iter()
            .filter(|outcome| outcome.ruling.is_right());
        let right = Calibration::new(
            String::new(),
            Settings::default(),
            right.cloned().collect(),
            Duration::ZERO,
        );
        assert!(right.is_right());
        assert_eq!((right.detection.hits, right.detection.of), (2, 2));
    }
}
