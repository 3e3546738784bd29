//! `timelines.txt`: how the jobs of each fault scenario went on before, during and after the fault.

use serde_json::Value;

use super::text::sanitize_line;
use super::{Render, ReportFile};
use crate::record::{Observation, Run};
use crate::verdict::{CheckStatus, CheckVerdict, Verdict};

/// The columns of a timeline.
const COLUMNS: u16 = 60;

/// The timeline of each fault scenario, as plain text.
#[derive(Clone, Copy, Debug)]
pub struct Timelines;

impl ReportFile for Timelines {
    fn file_name(&self) -> &'static str {
        "timelines.txt"
    }

    fn applies_to(&self, run: &Run) -> bool {
        let mut trials = run.trials.iter();
        trials.any(|trial| trial.observations(Observation::TIMELINE).next().is_some())
    }
}

impl Render for Timelines {
    fn render(&self, run: &Run, verdict: &Verdict) -> String {
        let mut text = LEGEND.join("\n") + "\n";
        for check in &verdict.checks {
            let mut trials = run.trials.iter().rev();
            let trial = trials.find(|trial| trial.check == check.id);
            let timeline = trial.and_then(|trial| trial.observations(Observation::TIMELINE).next());
            if let Some(timeline) = timeline {
                text.push('\n');
                text.push_str(&rendered(check, &timeline.value));
            }
        }
        text
    }
}

/// What the characters mean.
const LEGEND: &[&str] = &[
    "The jobs of each fault scenario in time, from its first request to its last.",
    "A digit is the number of jobs in a status (+ for more than 9), or of their retries.",
    "# marks the time of the fault. The database is sampled every 200 ms, so that a",
    "status that passes faster may be missing.",
];

/// A timeline: the check, the window of the fault, and a line for each status and for the retries.
fn rendered(check: &CheckVerdict, timeline: &Value) -> String {
    let outcome = match check.status {
        CheckStatus::Passed => "passed",
        CheckStatus::Failed => "FAILED",
        CheckStatus::Errored | CheckStatus::Skipped | CheckStatus::NotRun => "no result",
    };
    let ms = |key: &str| timeline[key].as_f64();
    let ended = ms("ended_ms").unwrap_or_default();
    let samples = Samples::of(timeline);
    let moments: Vec<f64> = (0..COLUMNS)
        .map(|column| ended * f64::from(column) / f64::from(COLUMNS))
        .collect();
    let width = ended / f64::from(COLUMNS);
    let fault = |from: f64| {
        let begun = ms("injected_ms").is_some_and(|injected| injected < from + width);
        let is_over = ms("healed_ms").is_some_and(|healed| healed <= from);
        if begun && !is_over { '#' } else { '.' }
    };
    let line = |name: &str, mark: &dyn Fn(f64) -> char| {
        let marks: String = moments.iter().map(|moment| mark(*moment)).collect();
        format!("  {name:<16} {marks}\n")
    };
    let mut text = format!("{} · {outcome} · {:.1} s\n", check.id, ended / 1e3);
    text.push_str(&line("fault", &fault));
    for status in samples.statuses() {
        text.push_str(&line(&sanitize_line(status, 16), &|from| {
            digit(samples.at(from + width)["statuses"][status].as_u64())
        }));
    }
    text.push_str(&line("retries", &|from| {
        digit(samples.at(from + width)["retries"].as_u64())
    }));
    text
}

fn digit(number: Option<u64>) -> char {
    match number {
        None | Some(0) => '.',
        Some(number) => u32::try_from(number)
            .ok()
            .and_then(|number| char::from_digit(number, 10))
            .unwrap_or('+'),
    }
}

/// The samples of a timeline, each of which holds until the next.
struct Samples<'a>(&'a [Value]);

impl<'a> Samples<'a> {
    fn of(timeline: &'a Value) -> Self {
        Self(timeline["samples"].as_array().map_or(&[], Vec::as_slice))
    }

    /// The statuses, in the order of their first occurrence.
    fn statuses(&self) -> Vec<&'a str> {
        let mut statuses = Vec::new();
        let counts = self.0.iter().filter_map(|it| it["statuses"].as_object());
        for status in counts.flat_map(|counts| counts.keys()) {
            if !statuses.contains(&status.as_str()) {
                statuses.push(status.as_str());
            }
        }
        statuses
    }

    /// The last sample before a moment.
    fn at(&self, moment: f64) -> &'a Value {
        let is_before = |it: &&Value| it["at_ms"].as_f64().is_some_and(|at| at <= moment);
        let mut latest = self.0.iter().rev();
        latest.find(is_before).unwrap_or(&Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sample_holds_until_the_next() {
        let timeline = json!({ "samples": [
            { "at_ms": 10.0, "statuses": { "queued": 2 }, "retries": 0 },
            { "at_ms": 30.0, "statuses": { "done": 2 }, "retries": 12 },
        ] });
        let samples = Samples::of(&timeline);
        assert_eq!(samples.statuses(), ["queued", "done"]);
        assert_eq!(samples.at(5.0), &Value::Null);
        assert_eq!(samples.at(29.0)["statuses"]["queued"], 2);
        assert_eq!(digit(samples.at(30.0)["statuses"]["queued"].as_u64()), '.');
        assert_eq!(digit(samples.at(99.0)["retries"].as_u64()), '+');
    }
}
