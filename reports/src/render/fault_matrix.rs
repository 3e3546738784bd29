//! `faults.txt`: which faults of which links the system survived, and how long it took to recover.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Render, ReportFile};
use crate::record::{Observation, Run, Trial};
use crate::verdict::{CheckStatus, CheckVerdict, Verdict};

/// The faults of each link with their outcome, as plain text.
#[derive(Clone, Copy, Debug)]
pub struct FaultMatrix;

impl ReportFile for FaultMatrix {
    fn file_name(&self) -> &'static str {
        "faults.txt"
    }

    fn applies_to(&self, run: &Run) -> bool {
        let mut trials = run.trials.iter();
        trials.any(|trial| trial.observations(Observation::SCENARIO).next().is_some())
    }
}

impl Render for FaultMatrix {
    fn render(&self, run: &Run, verdict: &Verdict) -> String {
        let scenarios: Vec<_> = verdict
            .checks
            .iter()
            .filter_map(|check| Scenario::of(check, run))
            .collect();
        let links = in_order(scenarios.iter().map(|scenario| scenario.link));
        let faults = in_order(scenarios.iter().map(|scenario| scenario.fault));
        let cells: BTreeMap<_, _> = scenarios
            .iter()
            .map(|scenario| ((scenario.fault, scenario.link), scenario.cell()))
            .collect();
        let mut text = legend(&scenarios);
        text.extend(table(&links, &faults, &cells));
        text.join("\n") + "\n"
    }
}

/// A trial that injected a fault into a link.
struct Scenario<'a> {
    link: &'a str,
    fault: &'a str,
    status: CheckStatus,
    recovered: Option<&'a Value>,
}

impl<'a> Scenario<'a> {
    fn of(check: &'a CheckVerdict, run: &'a Run) -> Option<Self> {
        let mut trials = run.trials.iter().rev();
        let trial: &'a Trial = trials.find(|trial| trial.check == check.id)?;
        let observed = || trial.observations(Observation::SCENARIO);
        let link = observed().find_map(|it| it.value["link"].as_str())?;
        let row = check.id.as_str().rsplit("::").next()?;
        let fault = row
            .strip_prefix(link)
            .map(|fault| fault.trim_start_matches('_'));
        Some(Self {
            link,
            fault: fault.unwrap_or(row),
            status: check.status,
            recovered: observed()
                .map(|it| &it.value)
                .find(|value| value["drained_ms"].is_number()),
        })
    }

    /// The outcome; where the system recovered, the seconds until every document had arrived.
    fn cell(&self) -> String {
        match (self.status, self.recovered) {
            (CheckStatus::Passed, Some(numbers)) => {
                let seconds = numbers["drained_ms"].as_f64().unwrap_or_default() / 1e3;
                format!("{seconds:.1}")
            }
            (CheckStatus::Passed, None) => "ok".to_owned(),
            (CheckStatus::Failed, _) => "FAILED".to_owned(),
            (CheckStatus::Errored | CheckStatus::Skipped | CheckStatus::NotRun, _) => {
                "?".to_owned()
            }
        }
    }

    fn acknowledged(&self) -> u64 {
        self.recovered
            .and_then(|numbers| numbers["acknowledged"].as_u64())
            .unwrap_or_default()
    }
}

/// Each value once, in the order of its first occurrence.
fn in_order<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

fn legend(scenarios: &[Scenario<'_>]) -> Vec<String> {
    let count = |status| {
        scenarios
            .iter()
            .filter(|scenario| scenario.status == status)
            .count()
    };
    let passed = count(CheckStatus::Passed);
    let failed = count(CheckStatus::Failed);
    let acknowledged: u64 = scenarios.iter().map(Scenario::acknowledged).sum();
    vec![
        format!(
            "Faults of links: {} of {} survived, {failed} FAILED, {} without a result (?).",
            passed,
            scenarios.len(),
            scenarios.len() - passed - failed
        ),
        format!("In those survived, {}.", lost_of(acknowledged)),
        "A number is the time in seconds from the end of the fault until every document had arrived.".to_owned(),
        String::new(),
    ]
}

/// How much a zero proves: the upper bound at 95 % confidence by the rule of three.
fn lost_of(documents: u64) -> String {
    let none = format!("0 of {documents} acknowledged documents were lost");
    if documents < 3 {
        return none;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of documents are far below 2^52"
    )]
    let bound = 300.0 / documents as f64;
    format!("{none}: at most {bound:.1} % (95 % confidence)")
}

/// One line for each fault, one column for each link, whose names are numbered above the table.
fn table(links: &[&str], faults: &[&str], cells: &BTreeMap<(&str, &str), String>) -> Vec<String> {
    const COLUMN: usize = 7;
    let first = faults
        .iter()
        .map(|fault| fault.len())
        .max()
        .unwrap_or_default();
    let mut text: Vec<_> = links
        .iter()
        .enumerate()
        .map(|(index, link)| format!("  {}  {link}", index + 1))
        .collect();
    text.push(String::new());
    let numbers = (1..=links.len()).map(|number| format!("{number:>COLUMN$}"));
    text.push(format!("{:first$}{}", "", numbers.collect::<String>()));
    text.extend(faults.iter().map(|fault| {
        let row = links.iter().map(|link| {
            let cell = cells.get(&(*fault, *link)).map_or("·", String::as_str);
            format!("{cell:>COLUMN$}")
        });
        format!("{fault:first$}{}", row.collect::<String>())
    }));
    text
}
