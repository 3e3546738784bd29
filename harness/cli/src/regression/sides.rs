//! The two sides of a comparison, which must be comparable.

use cutover_regression::Measurements;
use serde_json::{Value, json};

use crate::UsageError;

/// The runs of one side.
#[derive(Debug)]
pub(super) struct Side {
    /// The argument that named it.
    pub(super) argument: String,
    pub(super) runs: Vec<Measurements>,
}

impl Side {
    pub(super) fn json(&self) -> Value {
        let first = self.runs.first();
        let ids = self.runs.iter().map(|run| run.run.as_str());
        json!({
            "argument": self.argument,
            "runs": ids.collect::<Vec<_>>(),
            "target": first.map(|run| &run.target),
            "profile": first.map(|run| &run.profile),
            "machine": first.map(|run| &run.machine),
        })
    }
}

/// Refuses runs of different profiles or machines, or one run twice.
pub(super) fn expect_comparable(baseline: &Side, candidate: &Side) -> Result<(), UsageError> {
    let all = || baseline.runs.iter().chain(&candidate.runs);
    let Some(first) = all().next() else {
        return Ok(());
    };
    for run in all() {
        if let Some(difference) = first.differs_in_setting(run) {
            return Err(UsageError::new(
                format!("compare run '{}' with run '{}'", run.run, first.run),
                format!("its {difference}"),
                "compare runs of one profile, measured on one machine",
            ));
        }
    }
    for side in [baseline, candidate] {
        for (index, run) in side.runs.iter().enumerate() {
            if side.runs[..index].iter().any(|other| other.run == run.run) {
                return Err(UsageError::new(
                    format!("compare the runs of '{}'", side.argument),
                    format!("run '{}' is named twice", run.run),
                    "name each run once; a run that counts twice hides how much runs differ",
                ));
            }
            if side.runs[0].target != run.target {
                return Err(UsageError::new(
                    format!("compare the runs of '{}'", side.argument),
                    format!(
                        "their targets are '{}' and '{}'",
                        side.runs[0].target, run.target
                    ),
                    "name runs of one target on each side",
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cutover_regression::{FORMAT, Machine};

    use super::*;

    fn run(id: &str, target: &str) -> Measurements {
        Measurements {
            format: FORMAT,
            run: id.to_owned(),
            target: target.to_owned(),
            profile: "gate".to_owned(),
            machine: Machine {
                cpus: 2,
                model: "a processor".to_owned(),
                os: "Linux 6".to_owned(),
            },
            values: Vec::new(),
        }
    }

    fn refusal(candidate: Vec<Measurements>) -> Option<String> {
        let side = |argument: &str, runs| Side {
            argument: argument.to_owned(),
            runs,
        };
        let baseline = side("a", vec![run("1", "old"), run("2", "old")]);
        let error = expect_comparable(&baseline, &side("b", candidate)).err()?;
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        Some(format!("{error}: {}", cause.unwrap_or_default()))
    }

    #[test]
    fn only_runs_of_one_profile_and_machine_are_compared_each_once() {
        assert_eq!(refusal(vec![run("1", "new"), run("3", "new")]), None);
        assert_eq!(refusal(Vec::new()), None);
        let mut profile = run("3", "new");
        profile.profile = "quick".to_owned();
        let mut machine = run("4", "new");
        machine.machine.cpus = 8;
        for (runs, expected) in [
            (vec![profile], "its profile is `quick`"),
            (vec![run("3", "new"), machine], "its machine is `8 ×"),
            (
                vec![run("3", "new"), run("3", "new")],
                "run '3' is named twice",
            ),
            (vec![run("3", "new"), run("4", "old")], "'new' and 'old'"),
        ] {
            let refusal = refusal(runs).unwrap_or_default();
            assert!(refusal.contains(expected), "{refusal}");
        }
    }
}
