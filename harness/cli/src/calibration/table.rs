//! A calibration as people read it: a line as each validation ends, a table on the terminal, a page in markdown.

use super::reading::ValidationOutcome;
use super::result::Calibration;

/// One line about a reading.
pub(crate) fn line(reading: &ValidationOutcome) -> String {
    format!(
        "  {:<11}  {:<10}  {:<12}  {:>5.1} s  {}",
        reading.ruling.name(),
        reading.id,
        decision(reading),
        reading.took.as_secs_f64(),
        blamed(reading, ""),
    )
}

/// The whole calibration for a terminal.
pub(crate) fn text(calibration: &Calibration) -> String {
    let mut lines: Vec<_> = calibration.readings.iter().map(line).collect();
    lines.push(String::new());
    lines.extend(wrong(calibration).map(|reading| format!("{}: {}", reading.id, story(reading))));
    lines.push(format!("detected      {}", calibration.detection));
    lines.push(format!("false alarms  {}", calibration.false_alarms));
    if let Some(by) = calibration.interrupted {
        lines.push(format!(
            "interrupted by {by}: what was not tried is not counted"
        ));
    }
    lines.join("\n")
}

/// The whole calibration as a page.
pub(crate) fn markdown(calibration: &Calibration) -> String {
    let mut lines = vec![
        format!("# Calibration {}", calibration.id),
        String::new(),
        format!("- detected: {}", calibration.detection),
        format!("- false alarms: {}", calibration.false_alarms),
    ];
    let settings = &calibration.settings;
    if !settings.suites.is_empty() {
        lines.push(format!("- suites: {}", settings.suites.join(", ")));
    }
    if let Some(seed) = settings.sample_seed {
        lines.push(format!("- a sample of the defects, drawn with seed {seed}"));
    }
    if let Some(by) = calibration.interrupted {
        lines.push(format!(
            "- interrupted by {by}: what was not tried is not counted"
        ));
    }
    if let [_, kind] = settings.stack.as_slice() {
        lines.push(format!("- every stack was made of {kind}"));
    }
    lines.push(if settings.whole {
        "- every validation went on to its end".to_owned()
    } else {
        "- a validation ended when a check that must notice its defect had".to_owned()
    });
    lines.push(format!(
        "- {} s, {} validations at a time",
        calibration.seconds, settings.jobs
    ));
    lines.extend([
        String::new(),
        "| Defect | What is wrong | Ruling | Verdict | Blamed on | Seconds |".to_owned(),
        "|---|---|---|---|---|---:|".to_owned(),
    ]);
    lines.extend(calibration.readings.iter().map(row));
    let mut wrong = wrong(calibration).peekable();
    if wrong.peek().is_some() {
        lines.extend([
            String::new(),
            "## What was said wrong".to_owned(),
            String::new(),
        ]);
        lines.extend(wrong.map(|reading| format!("- {}: {}", reading.id, cell(&story(reading)))));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn row(reading: &ValidationOutcome) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {:.1} |",
        reading.id,
        cell(reading.title),
        reading.ruling.name(),
        decision(reading),
        blamed(reading, "`"),
        reading.took.as_secs_f64(),
    )
}

fn wrong(calibration: &Calibration) -> impl Iterator<Item = &ValidationOutcome> {
    let readings = calibration.readings.iter();
    readings.filter(|reading| !reading.ruling.is_right())
}

/// What a wrong ruling was about.
fn story(reading: &ValidationOutcome) -> String {
    let mut story = format!(
        "{} ({}) {}",
        reading.title,
        decision(reading),
        reading
            .reason
            .as_deref()
            .unwrap_or("nothing speaks against it"),
    );
    if !reading.besides.is_empty() {
        let besides: Vec<_> = reading.besides.iter().map(ToString::to_string).collect();
        story.push_str("; failed without being about it: ");
        story.push_str(&besides.join(", "));
    }
    // What the system under test said is shown, and never obeyed.
    story.replace(char::is_control, " ")
}

fn decision(reading: &ValidationOutcome) -> &'static str {
    reading
        .decision
        .map_or("no verdict", |decision| decision.name())
}

/// The first check that is blamed, and how many more are.
fn blamed(reading: &ValidationOutcome, quote: &str) -> String {
    match reading.blamed.as_slice() {
        [] => "–".to_owned(),
        [only] => format!("{quote}{only}{quote}"),
        [first, more @ ..] => format!("{quote}{first}{quote} (+{})", more.len()),
    }
}

/// A text that stays within its cell, whatever the system under test put into it.
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
    use crate::calibration::Settings;
    use crate::calibration::reading::Ruling;

    fn reading(
        id: &str,
        ruling: Ruling,
        decision: Option<Decision>,
        blamed: &[&str],
    ) -> ValidationOutcome {
        ValidationOutcome {
            id: id.to_owned(),
            title: "Two workers run one job.",
            ruling,
            decision,
            blamed: blamed.iter().map(|id| id.parse().unwrap()).collect(),
            besides: Vec::new(),
            reason: None,
            took: Duration::from_millis(9_840),
        }
    }

    fn calibration() -> Calibration {
        let once = "pipeline::two_workers_do_each_job_once";
        let hostile = "a | b <script>\nc";
        let readings = vec![
            reading("C-01", Ruling::Detected, Some(Decision::NoGo), &[once]),
            reading(
                "C-02",
                Ruling::Detected,
                Some(Decision::NoGo),
                &[once, "pipeline::the_limit_holds::daily"],
            ),
            ValidationOutcome {
                besides: vec![once.parse().unwrap()],
                reason: Some(hostile.to_owned()),
                ..reading("C-03", Ruling::Misblamed, Some(Decision::NoGo), &[])
            },
            reading("C-04", Ruling::Missed, Some(Decision::Go), &[]),
            reading("healthy-1", Ruling::Sound, Some(Decision::Go), &[]),
            reading("healthy-2", Ruling::FalseAlarm, None, &[]),
        ];
        let settings = Settings {
            suites: vec!["pipeline".to_owned()],
            sample_seed: Some(42),
            jobs: 2,
            whole: false,
            stack: Vec::new(),
        };
        let took = Duration::from_secs(31);
        Calibration::new(
            "20260102T030405Z-abcdef".to_owned(),
            settings,
            readings,
            took,
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
    fn one_wrong_ruling_is_enough() {
        let calibration = calibration();
        assert!(!calibration.is_right());
        let right = calibration
            .readings
            .iter()
            .filter(|reading| reading.ruling.is_right());
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
