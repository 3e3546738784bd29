//! `resources.json`: what the system used and did while loads ran.

use serde_json::{Value, json};

use super::json::escape;
use super::{Render, ReportFile};
use crate::record::{Observation, Run};
use crate::verdict::Verdict;

/// The resources during the loads of a run, as JSON.
#[derive(Clone, Copy, Debug)]
pub struct Resources;

impl ReportFile for Resources {
    fn file_name(&self) -> &'static str {
        "resources.json"
    }

    fn applies_to(&self, run: &Run) -> bool {
        loads_in(run).next().is_some()
    }
}

impl Render for Resources {
    fn render(&self, run: &Run, _: &Verdict) -> String {
        let loads = loads_in(run).map(|(check, attempt, observation)| {
            json!({
                "check": check,
                "attempt": attempt,
                "load": observation.summary,
                "resources": observation.value,
            })
        });
        let file = json!({ "format": 1, "loads": loads.collect::<Vec<_>>() });
        escape(&file.to_string()) + "\n"
    }
}

fn loads_in(run: &Run) -> impl Iterator<Item = (String, u32, &Observation)> {
    run.trials.iter().flat_map(|trial| {
        let loads = trial.observations(Observation::RESOURCES);
        loads.map(|load| (trial.check.to_string(), trial.attempt, load))
    })
}

/// The process with the most memory in any load of a run, and its bytes.
pub(super) fn most_memory(run: &Run) -> Option<(String, u64)> {
    let loads = loads_in(run).filter_map(|(_, _, load)| load.value["processes"].as_array());
    let processes = loads.flatten().filter_map(|process| {
        let samples = process["samples"].as_array()?.iter();
        let most = samples
            .filter_map(|sample| sample["memory"].as_u64())
            .max()?;
        Some((name_of(process), most))
    });
    processes.max_by_key(|(_, memory)| *memory)
}

/// The process that used the most processor time in one load, and how many processors it used on average.
pub(super) fn busiest(run: &Run) -> Option<(String, f64)> {
    let loads = loads_in(run).filter_map(|(_, _, load)| load.value["processes"].as_array());
    let processes = loads.flatten().filter_map(|process| {
        let samples = process["samples"].as_array()?;
        let (first, last) = (samples.first()?, samples.last()?);
        let change = |name: &str| Some(last[name].as_f64()? - first[name].as_f64()?);
        Some((name_of(process), change("processor")? / change("at")?))
    });
    let processes = processes.filter(|(_, share)| share.is_finite());
    processes.max_by(|one, other| one.1.total_cmp(&other.1))
}

fn name_of(process: &Value) -> String {
    process["name"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::record::{Evidence, Trial};

    fn run() -> Run {
        let sample = |at: f64, processor: f64, memory: u64| json!({ "at": at, "processor": processor, "memory": memory });
        let process = |name: &str, processor: f64, memory: u64| json!({ "name": name, "samples": [sample(0.0, 1.0, 1), sample(2.0, 1.0 + processor, memory)] });
        let load = Observation {
            surface: Observation::RESOURCES.to_owned(),
            summary: "a load".to_owned(),
            value: json!({ "processes": [process("api", 1.0, 7), process("postgres", 0.5, 9)] }),
        };
        let trial = Trial {
            check: "suite::check".parse().unwrap(),
            attempt: 1,
            started_at: OffsetDateTime::UNIX_EPOCH,
            evidence: vec![Evidence::Observed(load)],
            findings: Vec::new(),
            finished: None,
            observations: None,
        };
        Run {
            trials: vec![trial],
            ..Run::default()
        }
    }

    #[test]
    fn the_busiest_and_the_largest_process_are_found() {
        let run = run();
        assert_eq!(busiest(&run), Some(("api".to_owned(), 0.5)));
        assert_eq!(most_memory(&run), Some(("postgres".to_owned(), 9)));
        assert_eq!(busiest(&Run::default()), None);
        assert!(Resources.applies_to(&run) && !Resources.applies_to(&Run::default()));
    }
}
