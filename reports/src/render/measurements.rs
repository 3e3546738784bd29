//! `measurements.json`: what the checks measured, for a comparison with other runs.

use std::collections::BTreeMap;

use cutover_regression::{FORMAT, Machine, Measurement, Measurements as File};

use super::json::escape;
use super::{Render, ReportFile};
use crate::record::{Observation, Run, RunEvent};
use crate::verdict::Verdict;

/// The measured values of a run, as JSON.
#[derive(Clone, Copy, Debug)]
pub struct Measurements;

impl ReportFile for Measurements {
    fn file_name(&self) -> &'static str {
        cutover_regression::MEASUREMENTS_FILE
    }

    fn applies_to(&self, run: &Run) -> bool {
        !measured_in(run).is_empty()
    }
}

impl Render for Measurements {
    fn render(&self, run: &Run, _: &Verdict) -> String {
        let file = measurements_of(run);
        escape(&serde_json::to_string_pretty(&file).unwrap_or_default()) + "\n"
    }
}

/// What a run measured, on which machine.
pub fn measurements_of(run: &Run) -> File {
    let plan = run.plan.as_ref();
    File {
        format: FORMAT,
        run: plan.map_or_else(String::new, |plan| plan.run.clone()),
        target: plan.map_or_else(String::new, |plan| plan.target.name.clone()),
        profile: run
            .profile()
            .map_or_else(String::new, |profile| profile.to_string()),
        machine: machine_of(run),
        values: measured_in(run),
    }
}

/// The machine of a run. A run without one cannot be compared with any that has one.
fn machine_of(run: &Run) -> Machine {
    let machine = run.journal.iter().find_map(|entry| match &entry.event {
        RunEvent::Machine(machine) => Some(machine.clone()),
        RunEvent::Identified { .. }
        | RunEvent::GeneratorTested { .. }
        | RunEvent::Compared { .. }
        | RunEvent::Incident { .. }
        | RunEvent::Leaked { .. }
        | RunEvent::LinkTraffic { .. }
        | RunEvent::Interrupted { .. }
        | RunEvent::Finished { .. } => None,
    });
    machine.unwrap_or_else(|| Machine {
        cpus: 0,
        model: "unknown".to_owned(),
        os: "unknown".to_owned(),
    })
}

/// The measured values, by name. Where a check looked twice, its last value counts.
pub(super) fn measured_in(run: &Run) -> Vec<Measurement> {
    let observations = run
        .trials
        .iter()
        .flat_map(|trial| trial.observations(Observation::MEASUREMENT));
    let values = observations.filter_map(|observation| {
        let value: Measurement = serde_json::from_value(observation.value.clone()).ok()?;
        Some((value.name.clone(), value))
    });
    values.collect::<BTreeMap<_, _>>().into_values().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::OffsetDateTime;

    use super::*;
    use crate::record::{Evidence, Trial};

    fn observed(name: &str, value: f64) -> Observation {
        Observation {
            surface: Observation::MEASUREMENT.to_owned(),
            summary: name.to_owned(),
            value: json!({ "name": name, "unit": "ms", "better": "lower", "gated": true, "value": value }),
        }
    }

    #[test]
    fn the_last_value_of_a_name_counts() {
        let observations = [observed("b", 1.0), observed("a", 2.0), observed("b", 3.0)];
        let trial = Trial {
            check: "suite::check".parse().unwrap(),
            attempt: 1,
            started_at: OffsetDateTime::UNIX_EPOCH,
            evidence: observations.map(Evidence::Observed).to_vec(),
            findings: Vec::new(),
            finished: None,
            observations: None,
        };
        let run = Run {
            trials: vec![trial],
            ..Run::default()
        };
        let values = measured_in(&run);
        let values: Vec<_> = values
            .iter()
            .map(|it| (it.name.as_str(), it.value))
            .collect();
        assert_eq!(values, [("a", Some(2.0)), ("b", Some(3.0))]);
        assert!(Measurements.applies_to(&run));
        assert!(!Measurements.applies_to(&Run::default()));
    }
}
