//! The phases of a load, as `--phase` names them.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use cutover_load::{Constant, Pacer, PacerError, Phases, Ramp, poisson};

use super::allowed::Amount;
use super::threshold::{self, Threshold};
use crate::UsageError;

/// The setting of a shard that has the phases of its load.
pub(super) const PHASES: &str = "phases";

/// A text that is not a phase.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is not a phase; write one such as warm-up:10s@50, or ramp:30s@50..500 for a rate that changes"
)]
pub(super) struct PhaseError(String);

/// A part of a load with a name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Phase {
    name: String,
    duration: Duration,
    /// The rate at the start, in requests per second.
    from: f64,
    /// The rate at the end, if it changes.
    to: Option<f64>,
}

impl FromStr for Phase {
    type Err = PhaseError;

    fn from_str(text: &str) -> Result<Self, PhaseError> {
        parse(text).ok_or_else(|| PhaseError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Phase> {
    let (name, rest) = text.split_once(':')?;
    let (duration, rates) = rest.split_once('@')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let rate = |text: &str| {
        let rate = text.trim().parse::<f64>().ok()?;
        (rate.is_finite() && rate > 0.0).then_some(rate)
    };
    let (from, to) = match rates.split_once("..") {
        Some((from, to)) => (rate(from)?, Some(rate(to)?)),
        None => (rate(rates)?, None),
    };
    Some(Phase {
        name: name.to_owned(),
        duration: threshold::duration(duration.trim())?,
        from,
        to,
    })
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let microseconds = self.duration.as_micros();
        write!(f, "{}:{microseconds}us@{}", self.name, self.from)?;
        self.to.map_or(Ok(()), |to| write!(f, "..{to}"))
    }
}

impl Phase {
    fn pacer(&self, seed: Option<u64>) -> Result<Box<dyn Pacer>, PacerError> {
        Ok(match (self.to, seed) {
            (Some(to), _) => Box::new(Ramp::new(self.from, to, self.duration)?),
            (None, Some(seed)) => Box::new(poisson(self.from, self.duration, seed)?),
            (None, None) => Box::new(Constant::new(self.from, self.duration)?),
        })
    }
}

/// What a load sends, and for how long.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// None for a closed loop.
    phases: Vec<Phase>,
    duration: Duration,
}

impl Plan {
    pub(super) fn new(phases: Vec<Phase>) -> Self {
        let durations = phases.iter().map(|phase| phase.duration);
        let duration = durations.fold(Duration::ZERO, Duration::saturating_add);
        Self { phases, duration }
    }

    /// A load of one phase, which has no name.
    pub(super) fn one(duration: Duration, from: f64, to: Option<f64>) -> Self {
        Self::new(vec![Phase {
            name: String::new(),
            duration,
            from,
            to,
        }])
    }

    /// A closed loop.
    pub(super) fn closed(duration: Duration) -> Self {
        let phases = Vec::new();
        Self { phases, duration }
    }

    pub(super) fn duration(&self) -> Duration {
        self.duration
    }

    pub(super) fn amount(&self) -> Amount {
        let highest = |phase: &Phase| phase.to.map_or(phase.from, |to| to.max(phase.from));
        let mean = |phase: &Phase| f64::midpoint(phase.from, phase.to.unwrap_or(phase.from));
        let requests = |phase: &Phase| mean(phase) * phase.duration.as_secs_f64();
        Amount {
            rate: self.phases.iter().map(highest).reduce(f64::max),
            requests: self.phases.iter().map(requests).sum(),
        }
    }

    /// The whole seconds of each phase with one rate; none for a ramp.
    pub(super) fn steady_seconds(&self) -> Vec<Range<usize>> {
        if self.phases.is_empty() {
            return vec![whole_seconds(Duration::ZERO, self.duration)];
        }
        let mut starts = Duration::ZERO;
        let seconds = self.phases.iter().map(|phase| {
            let ends = starts.saturating_add(phase.duration);
            let seconds = whole_seconds(starts, ends);
            starts = ends;
            if phase.to.is_some() { 0..0 } else { seconds }
        });
        seconds.collect()
    }

    /// The names of the phases; none if the load has one phase without a name.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.phases.iter().map(|phase| phase.name.clone());
        names.filter(|name| !name.is_empty()).collect()
    }

    /// The times at which requests are due, at random with a seed; `None` for a closed loop.
    pub(super) fn pacer(&self, seed: Option<u64>) -> Result<Option<Phases>, UsageError> {
        if self.phases.is_empty() {
            return Ok(None);
        }
        let names = self.names();
        let again = names
            .iter()
            .enumerate()
            .find(|(at, name)| names[..*at].contains(name));
        if let Some((_, name)) = again {
            let cause = format!("two phases are named '{name}'");
            return Err(refusal(cause, "give each --phase a name of its own"));
        }
        let ramp = self.phases.iter().find(|phase| phase.to.is_some());
        if let Some(ramp) = ramp.filter(|_| seed.is_some()) {
            let cause = format!(
                "phase '{}' changes its rate, which --poisson cannot",
                ramp.name
            );
            let help = "leave out --poisson, or give the phase one rate, such as warm-up:10s@50";
            return Err(refusal(cause, help));
        }
        let phases = (0..).zip(&self.phases).map(|(index, phase)| {
            let seed = seed.map(|seed| seed.wrapping_add(index));
            Ok((phase.pacer(seed)?, phase.duration))
        });
        let pacer = phases.collect::<Result<Vec<_>, _>>().and_then(Phases::new);
        let help = "correct --rate, --ramp-to, --duration or --phase";
        pacer.map(Some).map_err(|cause| refusal(cause, help))
    }

    /// Checks that each threshold is for a phase that exists.
    pub(super) fn expect_phases(&self, thresholds: &[Threshold]) -> Result<(), UsageError> {
        expect_phases(&self.names(), thresholds)
    }
}

/// The seconds that are wholly between two times.
fn whole_seconds(starts: Duration, ends: Duration) -> Range<usize> {
    let second = |time: Duration| usize::try_from(time.as_secs()).unwrap_or(usize::MAX);
    let is_whole = starts.subsec_nanos() == 0;
    let first = second(starts).saturating_add(usize::from(!is_whole));
    first..second(ends).max(first)
}

fn refusal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>, help: &str) -> UsageError {
    UsageError::new("plan the load", cause, help)
}

/// Checks that each threshold is for one of these phases.
pub(super) fn expect_phases(names: &[String], thresholds: &[Threshold]) -> Result<(), UsageError> {
    for threshold in thresholds {
        let Some(phase) = threshold.phase() else {
            continue;
        };
        if !names.iter().any(|name| name == phase) {
            let cause = format!("--threshold '{}' is for phase '{phase}'", threshold.text());
            let help = match names {
                [] => "name the phase with --phase, such as warm-up:10s@50".to_owned(),
                _ => format!("the phases are {}", names.join(", ")),
            };
            return Err(refusal(format!("{cause}, which does not exist"), &help));
        }
    }
    Ok(())
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phases = self.phases.iter().filter(|phase| !phase.name.is_empty());
        let phases: Vec<_> = phases.map(ToString::to_string).collect();
        f.write_str(&phases.join(" "))
    }
}

/// The names of the phases of a shard, from its settings.
pub(super) fn names(settings: &BTreeMap<String, String>) -> Vec<String> {
    let phases = settings.get(PHASES).map(String::as_str).unwrap_or_default();
    let names = phases
        .split_whitespace()
        .filter_map(|phase| phase.split_once(':'));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(phases: &[&str]) -> Plan {
        Plan::new(phases.iter().map(|phase| phase.parse().unwrap()).collect())
    }

    #[test]
    fn phases_are_read() {
        let ramp: Phase = "ramp:30s@50..500".parse().unwrap();
        assert_eq!((ramp.from, ramp.to), (50.0, Some(500.0)));
        assert_eq!(ramp.duration, Duration::from_secs(30));
        assert_eq!(ramp.to_string().parse::<Phase>().unwrap(), ramp);
        let steady: Phase = "warm-up:1.5s@0.5".parse().unwrap();
        assert_eq!((steady.from, steady.to), (0.5, None));
    }

    #[test]
    fn what_is_not_a_phase_is_an_error_with_an_example() {
        for text in [
            "",
            "a",
            "a:1s",
            "a:@1",
            "a:1s@",
            "a:1@1",
            "a:1s@0",
            "a:1s@-1",
            "a:1s@1..",
            "a:1s@1..x",
            "a b:1s@1",
            ":1s@1",
            "a:0s@1",
            "a:1s@inf",
        ] {
            let error = text.parse::<Phase>().unwrap_err().to_string();
            assert!(error.contains(&format!("'{text}'")), "{error}");
            assert!(error.contains("warm-up:10s@50"), "{error}");
        }
    }

    #[test]
    fn the_phases_follow_each_other_and_determine_the_amount() {
        let plan = plan(&["warm-up:10s@50", "ramp:30s@50..500"]);
        assert_eq!(plan.duration(), Duration::from_secs(40));
        assert_eq!(plan.names(), ["warm-up", "ramp"]);
        let amount = plan.amount();
        assert_eq!(amount.rate, Some(500.0));
        assert!((amount.requests - 8_750.0).abs() < 1e-6, "{amount:?}");
        let pacer = plan.pacer(None).unwrap().unwrap();
        assert_eq!(pacer.ends(), [Duration::from_secs(10)]);
        let requests = pacer.schedule().len();
        assert!((8_749..=8_751).contains(&requests), "{requests}");
        let settings = BTreeMap::from([(PHASES.to_owned(), plan.to_string())]);
        assert_eq!(names(&settings), ["warm-up", "ramp"]);
    }

    #[test]
    fn only_whole_seconds_of_one_rate_must_be_steady() {
        let seconds = plan(&["a:1500ms@1", "b:2s@1..2", "c:3s@1"]).steady_seconds();
        assert_eq!(seconds, [0..1, 0..0, 4..6]);
        let closed = Plan::closed(Duration::from_millis(2_500));
        assert_eq!(closed.steady_seconds().first(), Some(&(0..2)));
    }

    #[test]
    fn two_phases_of_one_name_a_random_ramp_and_an_unknown_phase_are_errors() {
        assert!(plan(&["a:1s@1", "a:1s@2"]).pacer(None).is_err());
        assert!(plan(&["a:1s@1", "b:1s@1..2"]).pacer(Some(1)).is_err());
        assert!(plan(&["a:1s@1", "b:1s@2"]).pacer(Some(1)).is_ok());
        let threshold = |text: &str| [text.parse::<Threshold>().unwrap()];
        let plan = plan(&["a:1s@1"]);
        assert!(plan.expect_phases(&threshold("a:p99<1s")).is_ok());
        assert!(plan.expect_phases(&threshold("p99<1s")).is_ok());
        let error = plan.expect_phases(&threshold("b:p99<1s")).unwrap_err();
        assert_eq!(error.help(), "the phases are a");
    }
}
