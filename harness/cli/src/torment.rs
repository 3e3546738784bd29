//! `cutover torment`: random walks of faults until one of them loses something, and the shortest schedule that does.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use cutover_reports::exit;
use cutover_reports::record::{Admission, Outcome, Profile, Run};
use serde_json::{Value, json};

use crate::options::{
    PolicyOption, PrintOptions, SelectionOptions, TargetOption, VerbosityOptions, default_output,
};
use crate::output::print_line;
use crate::shrink::{Tried, shrink};
use crate::stack_option::StackOption;
use crate::validate::Validate;
use crate::{CommandError, UsageError};
use cutover_harness::catalog::{Catalog, RandomWalk};

/// Inject random faults until one of them loses a document
///
/// Each walk lasts 20 seconds: faults of all links, crashes, pauses, uploads, retries and deletions follow a
/// schedule that is drawn from a seed. A walk that fails is shrunk to the shortest schedule that still fails.
#[derive(Args, Debug)]
pub(super) struct Torment {
    #[command(flatten)]
    target: TargetOption,
    #[command(flatten)]
    stack: StackOption,
    /// Start the reference stack with this seeded defect (see `cutover list --defects`)
    #[arg(long, value_name = "ID|SLUG")]
    defect: Option<String>,
    /// Seed of the first walk, to repeat it; the next walk has the next seed
    #[arg(long, conflicts_with = "schedule")]
    seed: Option<u64>,
    /// Start no walk after this many minutes
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=10_080),
    )]
    minutes: u64,
    /// Walk once along the schedule in this file
    #[arg(long, value_name = "FILE")]
    schedule: Option<PathBuf>,
    /// Do not shrink a schedule that fails
    #[arg(long)]
    no_shrink: bool,
    #[command(flatten)]
    policy: PolicyOption,
    /// Directory of all runs
    #[arg(long, value_name = "DIR", default_value_os_t = default_output().to_owned())]
    output: PathBuf,
    #[command(flatten)]
    print: PrintOptions,
}

/// How a walk ended.
enum Walked {
    /// Nothing was lost.
    Passed,
    /// Something was lost.
    Failed(Failure),
    /// The walk has no result.
    NotJudged {
        reason: String,
        /// Whether a signal has ended it.
        is_stopped: bool,
        path: PathBuf,
    },
}

/// A walk that failed.
struct Failure {
    /// What the check found.
    finding: String,
    /// The steps of the walk.
    steps: Vec<Value>,
    /// The run directory.
    path: PathBuf,
}

impl Torment {
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        self.print.apply();
        let walk = catalog.random_walk;
        let given = self.schedule.as_deref();
        let given = given.map(|path| read_schedule(path, walk)).transpose()?;
        let mut walker = Walker {
            catalog,
            validate: Validate {
                stack: self.stack,
                defect: self.defect,
                selection: SelectionOptions::of_check(walk.check),
                output: self.output,
                verbosity: VerbosityOptions::quiet(),
                ..Validate::with_defaults(self.target, self.policy, self.print, Profile::Gate)
            },
            ends: Instant::now() + Duration::from_secs(self.minutes * 60),
        };
        walker.expect_admitted()?;
        let last = match given {
            Some(steps) => walker.walk_along(steps)?,
            None => walker.walk_from(self.seed.unwrap_or_else(rand::random))?,
        };
        match last {
            Walked::Passed => Ok(exit::GO),
            Walked::Failed(failure) => {
                if !self.no_shrink {
                    walker.shrink(failure)?;
                }
                Ok(exit::NO_GO)
            }
            Walked::NotJudged { .. } => Ok(exit::INCONCLUSIVE),
        }
    }
}

/// Runs walks.
struct Walker<'a> {
    catalog: &'a Catalog,
    validate: Validate,
    ends: Instant,
}

impl Walker<'_> {
    /// A target that lacks what the walk needs is an error before anything runs.
    fn expect_admitted(&self) -> Result<(), CommandError> {
        let plan = self.validate.prepare(self.catalog)?.plan;
        let name = self.catalog.random_walk.check;
        let mut checks = plan.checks.iter();
        let refusal = match checks.find(|check| check.id.as_str() == name) {
            Some(check) => match &check.admission {
                Admission::Admitted => None,
                Admission::Refused { reason, .. } => Some(reason.clone()),
            },
            None => Some("the catalog has no such check".to_owned()),
        };
        match refusal {
            None => Ok(()),
            Some(reason) => Err(UsageError::new(
                format!("plan check '{name}'"),
                reason,
                "give the target what the check needs; `cutover doctor` shows what is missing",
            )
            .into()),
        }
    }

    /// Walks with this seed and the following ones; the last walk.
    fn walk_from(&mut self, first: u64) -> Result<Walked, CommandError> {
        for walk in 0.. {
            let (seed, began) = (first.wrapping_add(walk), Instant::now());
            self.validate.parameters = [(RandomWalk::SEED, json!(seed))].into();
            let walked = self.walk()?;
            report(&format!("walk {} · seed {seed}", walk + 1), &walked, began)?;
            if !matches!(walked, Walked::Passed) || Instant::now() >= self.ends {
                return Ok(walked);
            }
        }
        Ok(Walked::Passed)
    }

    /// Walks once along these steps.
    fn walk_along(&mut self, steps: Vec<Value>) -> Result<Walked, CommandError> {
        let began = Instant::now();
        self.validate.parameters = [(RandomWalk::SCHEDULE, Value::Array(steps))].into();
        let walked = self.walk()?;
        report("the schedule", &walked, began)?;
        Ok(walked)
    }

    fn walk(&self) -> Result<Walked, CommandError> {
        let prepared = self.validate.prepare(self.catalog)?;
        let executed = self.validate.execute(self.catalog, prepared)?;
        let path = executed.path;
        let run = Run::load(&path).map_err(|error| CommandError::Internal(error.into()))?;
        let trial = run.trials.first();
        if let (Some(trial), Some(Outcome::Failed)) = (trial, trial.and_then(|it| it.outcome())) {
            let finding = trial
                .findings
                .first()
                .map(|finding| finding.summary.clone());
            let schedule = trial.observations(RandomWalk::SCHEDULE).next();
            let steps = schedule.and_then(|schedule| schedule.value.as_array().cloned());
            return Ok(Walked::Failed(Failure {
                finding: finding.unwrap_or_default(),
                steps: steps.unwrap_or_default(),
                path,
            }));
        }
        let reason = match (executed.interrupted_by, trial.and_then(|it| it.outcome())) {
            (Some(signal), _) => format!("{signal} stopped it"),
            (None, Some(Outcome::Passed)) => return Ok(Walked::Passed),
            (None, Some(Outcome::Errored { cause })) => cause.clone(),
            (None, Some(Outcome::Skipped { reason, .. })) => reason.clone(),
            (None, Some(Outcome::Failed) | None) => "the walk did not end".to_owned(),
        };
        Ok(Walked::NotJudged {
            reason,
            is_stopped: executed.interrupted_by.is_some(),
            path,
        })
    }

    /// Finds the shortest schedule that fails, and writes it beside the journal of its walk.
    fn shrink(&mut self, failure: Failure) -> Result<(), CommandError> {
        let all = failure.steps.len();
        print_line(format!("shrinking the schedule of {all} steps"))?;
        let mut path = failure.path;
        let steps = shrink(failure.steps, |steps| {
            if Instant::now() >= self.ends {
                return Ok::<_, CommandError>(Tried::NoTime);
            }
            self.validate.parameters =
                [(RandomWalk::SCHEDULE, Value::Array(steps.to_vec()))].into();
            Ok(match self.walk()? {
                Walked::Failed(shorter) => {
                    print_line(format!("  {} steps fail: {}", steps.len(), shorter.finding))?;
                    path = shorter.path;
                    Tried::Fails
                }
                Walked::NotJudged {
                    is_stopped: true, ..
                } => Tried::NoTime,
                // Steps without a result are not known to fail.
                Walked::Passed | Walked::NotJudged { .. } => Tried::Passes,
            })
        })?;
        print_line(format!(
            "the shortest schedule that fails has {} of {all} steps",
            steps.len()
        ))?;
        for step in &steps {
            print_line(step_line(step))?;
        }
        let file = path.join("schedule.json");
        let text = serde_json::to_string_pretty(&steps).context("write the schedule")?;
        fs::write(&file, text)
            .with_context(|| format!("write '{}'", file.display()))
            .map_err(CommandError::Internal)?;
        print_line(format!(
            "repeat it with: cutover torment --schedule {}",
            file.display()
        ))?;
        Ok(())
    }
}

/// Prints how a walk ended.
fn report(what: &str, walked: &Walked, began: Instant) -> Result<(), CommandError> {
    let took = began.elapsed().as_secs_f64();
    let line = match walked {
        Walked::Passed => format!("{what} · passed in {took:.1} s"),
        Walked::Failed(Failure { finding, path, .. }) => {
            format!("{what} · FAILED: {finding}\n  evidence  {}", path.display())
        }
        Walked::NotJudged { reason, path, .. } => {
            format!(
                "{what} · INCONCLUSIVE: {reason}\n  evidence  {}",
                path.display()
            )
        }
    };
    Ok(print_line(&line)?)
}

/// A step of a schedule in one line.
fn step_line(step: &Value) -> String {
    let mut words = Vec::new();
    match &step["action"] {
        Value::Object(action) => {
            for (name, settings) in action {
                words.push(name.replace('_', " "));
                settings_in_words(settings, &mut words);
            }
        }
        Value::String(name) => words.push(name.replace('_', " ")),
        action @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
            words.push(action.to_string());
        }
    }
    let at = step["at_ms"].as_u64().unwrap_or_default();
    format!("  {at:>6} ms  {}", words.join(" "))
}

/// The settings of an action as `name=value`, without their nesting and without those that are not set.
fn settings_in_words(settings: &Value, words: &mut Vec<String>) {
    for (name, value) in settings.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => settings_in_words(value, words),
            Value::Null => {}
            Value::String(text) => words.push(format!("{name}={text}")),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                words.push(format!("{name}={value}"));
            }
        }
    }
}

fn read_schedule(path: &Path, walk: RandomWalk) -> Result<Vec<Value>, CommandError> {
    let read = || {
        let schedule: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
        (walk.check_schedule)(&schedule).map_err(anyhow::Error::msg)?;
        anyhow::Ok(schedule.as_array().cloned().unwrap_or_default())
    };
    read().map_err(|error| {
        UsageError::new(
            format!("read schedule '{}'", path.display()),
            error,
            "name a `schedule.json` that `cutover torment` has written",
        )
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_one_line() {
        let fault = json!({ "fault": "latency", "delay_ms": 5 });
        let injection = json!({ "fault": fault, "time_to_live_ms": null });
        let action = json!({ "fault": { "link": "api_to_database", "injection": injection } });
        let line = step_line(&json!({ "at_ms": 120, "action": action }));
        assert!(line.starts_with("     120 ms  fault "), "{line}");
        for setting in ["link=api_to_database", "fault=latency", "delay_ms=5"] {
            assert!(line.contains(setting), "{line}");
        }
        assert!(!line.contains("time_to_live"), "{line}");
        let upload = step_line(&json!({ "at_ms": 0, "action": "upload" }));
        assert_eq!(upload, "       0 ms  upload");
    }
}
