//! The schedule of a random walk: what happens when, drawn from a seed.

use std::time::Duration;

use cutover_harness::fault::faults::{
    Bandwidth, Blackhole, Fault, FirstRequests, Flap, Latency, LostReply, Reset, ResetAfterBytes,
    Slicer,
};
use cutover_harness::fault::{Direction, Injection, LinkName};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A step of a walk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Milliseconds since the walk began.
    pub at_ms: u64,
    /// What happens then.
    pub action: StepAction,
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepAction {
    /// A user uploads a document.
    Upload,
    /// The owner of the oldest document that is complete deletes it.
    Delete,
    /// The owner of the newest document retries its job, whatever its state is.
    Retry,
    /// A fault acts on a link for a time, and is healed.
    Fault {
        /// The link.
        link: LinkName,
        /// The fault.
        injection: Injection,
        /// How long it acts.
        lasts_ms: u64,
    },
    /// The workers are killed, and started after a time.
    KillWorkers {
        /// How long there are none.
        lasts_ms: u64,
    },
    /// The workers are paused, and resumed after a time.
    PauseWorkers {
        /// How long they are paused.
        lasts_ms: u64,
    },
    /// The number of workers changes.
    ScaleWorkers {
        /// Their number.
        workers: usize,
    },
    /// The API is killed, and started after a time.
    KillApi {
        /// How long there is none.
        lasts_ms: u64,
    },
}

/// What a walk may do to a target.
#[derive(Clone, Debug)]
pub struct Abilities {
    /// The links into which faults can be injected.
    pub links: Vec<LinkName>,
    /// Whether documents can be deleted.
    pub deletes: bool,
    /// Whether jobs can be retried by their users.
    pub retries: bool,
}

/// The kinds of steps, and how often each is drawn.
const WEIGHTS: [(Kind, u32); 8] = [
    (Kind::Upload, 8),
    (Kind::Fault, 16),
    (Kind::KillWorkers, 3),
    (Kind::PauseWorkers, 2),
    (Kind::ScaleWorkers, 1),
    (Kind::KillApi, 1),
    (Kind::Delete, 2),
    (Kind::Retry, 2),
];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Upload,
    Fault,
    KillWorkers,
    PauseWorkers,
    ScaleWorkers,
    KillApi,
    Delete,
    Retry,
}

impl Kind {
    fn is_given(self, abilities: &Abilities) -> bool {
        match self {
            Self::Fault => !abilities.links.is_empty(),
            Self::Delete => abilities.deletes,
            Self::Retry => abilities.retries,
            Self::Upload
            | Self::KillWorkers
            | Self::PauseWorkers
            | Self::ScaleWorkers
            | Self::KillApi => true,
        }
    }
}

/// The most documents of a walk.
const MOST_DOCUMENTS: usize = 60;

/// The least and the greatest pause between two steps, in milliseconds.
const PAUSES_MS: [u64; 2] = [30, 350];

/// How long a fault or an absence lasts at least and at most, in milliseconds: short enough that
/// each retry of a document meets another one at most.
const LASTS_MS: [u64; 2] = [60, 1_200];

/// The schedule of a walk of this length, from a seed.
pub fn schedule(seed: u64, length: Duration, abilities: &Abilities) -> Vec<Step> {
    let mut walk = Generator {
        rng: StdRng::seed_from_u64(seed),
        abilities,
        uploads: 1,
        processes_busy_until: 0,
        links: Vec::new(),
        faults: Vec::new(),
    };
    let end = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let mut steps = vec![Step {
        at_ms: 0,
        action: StepAction::Upload,
    }];
    let mut at_ms = 0;
    loop {
        at_ms += walk.between(PAUSES_MS);
        if at_ms >= end {
            break;
        }
        if let Some(action) = walk.action(at_ms) {
            steps.push(Step { at_ms, action });
        }
    }
    if abilities.deletes {
        // By now, a document is complete.
        let action = StepAction::Delete;
        steps.push(Step { at_ms: end, action });
    }
    steps
}

/// Whether a schedule from a file can be followed; otherwise why not, with the step.
pub fn check(schedule: &Value) -> Result<(), String> {
    let steps = schedule.as_array().ok_or("it is not a list of steps")?;
    for (index, step) in steps.iter().enumerate() {
        let in_step = |error: String| format!("step {}: {error}", index + 1);
        let read = Step::deserialize(step).map_err(|error| in_step(error.to_string()))?;
        if let StepAction::Fault { injection, .. } = &read.action {
            let checked = injection.check();
            checked.map_err(|error| in_step(error.to_string()))?;
        }
    }
    Ok(())
}

struct Generator<'a> {
    rng: StdRng,
    abilities: &'a Abilities,
    uploads: usize,
    /// One action at a time is applied to the processes.
    processes_busy_until: u64,
    /// The links that are drawn next. Each is drawn as often as the others.
    links: Vec<LinkName>,
    /// The kinds of faults that are drawn next. Each is drawn as often as the others.
    faults: Vec<FaultKind>,
}

impl Generator<'_> {
    fn between(&mut self, [least, most]: [u64; 2]) -> u64 {
        self.rng.random_range(least..=most)
    }

    fn kind(&mut self) -> Kind {
        let given = WEIGHTS
            .iter()
            .filter(|(kind, _)| kind.is_given(self.abilities));
        let total = given.clone().map(|(_, weight)| weight).sum();
        let mut drawn = self.rng.random_range(0..total);
        for (kind, weight) in given {
            if drawn < *weight {
                return *kind;
            }
            drawn -= weight;
        }
        Kind::Upload
    }

    /// The next action; nothing if what was drawn is not possible now.
    fn action(&mut self, at_ms: u64) -> Option<StepAction> {
        let kind = self.kind();
        let lasts_ms = self.between(LASTS_MS);
        let is_about_processes = matches!(
            kind,
            Kind::KillWorkers | Kind::PauseWorkers | Kind::ScaleWorkers | Kind::KillApi
        );
        if is_about_processes {
            if at_ms < self.processes_busy_until {
                return None;
            }
            // Starting takes a while.
            self.processes_busy_until = at_ms + lasts_ms + 1_500;
        }
        Some(match kind {
            Kind::Upload if self.uploads >= MOST_DOCUMENTS => return None,
            Kind::Upload => {
                self.uploads += 1;
                StepAction::Upload
            }
            Kind::Delete => StepAction::Delete,
            Kind::Retry => StepAction::Retry,
            Kind::KillWorkers => StepAction::KillWorkers { lasts_ms },
            Kind::PauseWorkers => StepAction::PauseWorkers { lasts_ms },
            Kind::KillApi => StepAction::KillApi { lasts_ms },
            Kind::ScaleWorkers => {
                let workers = self.rng.random_range(1..=3);
                StepAction::ScaleWorkers { workers }
            }
            Kind::Fault => {
                if self.links.is_empty() {
                    self.links.clone_from(&self.abilities.links);
                    self.links.shuffle(&mut self.rng);
                }
                let link = self.links.pop()?;
                StepAction::Fault {
                    link,
                    injection: self.injection(link),
                    lasts_ms,
                }
            }
        })
    }

    /// A fault that fits a link.
    fn injection(&mut self, link: LinkName) -> Injection {
        if self.faults.is_empty() {
            self.faults = FaultKind::ALL.to_vec();
            self.faults.shuffle(&mut self.rng);
        }
        let kind = self.faults.pop().unwrap_or(FaultKind::Flap);
        let fault = self.fault(kind.on(link));
        let seed = self.rng.random();
        // Part of the connections, or all of them.
        let probability = if self.rng.random_bool(0.3) { 0.5 } else { 1.0 };
        Injection::new(fault).seed(seed).probability(probability)
    }

    fn fault(&mut self, kind: FaultKind) -> Fault {
        match kind {
            FaultKind::Flap => Fault::from(Flap {
                down_ms: self.between([50, 400]),
                up_ms: self.between([50, 400]),
            }),
            FaultKind::Reset => Reset::default().into(),
            FaultKind::Blackhole => Blackhole::default().into(),
            FaultKind::LostReply => LostReply::default().into(),
            FaultKind::CutReply => Fault::from(ResetAfterBytes {
                direction: Direction::FromUpstream,
                bytes: self.between([1, 3_000]),
            }),
            FaultKind::Latency => Fault::from(Latency {
                direction: Direction::Both,
                delay_ms: self.between([5, 100]),
                jitter_ms: 5,
            }),
            FaultKind::Bandwidth => Fault::from(Bandwidth {
                direction: Direction::Both,
                bytes_per_second: self.between([20_000, 500_000]),
            }),
            FaultKind::Slicer => Fault::from(Slicer {
                direction: Direction::Both,
                average_bytes: 50,
                variation_bytes: 40,
                delay_us: 100,
            }),
            FaultKind::Status(status) => Fault::from(FirstRequests {
                requests: self.between([1, 4]),
                status,
                retry_after_s: None,
            }),
        }
    }
}

/// A fault without its values.
#[derive(Clone, Copy)]
enum FaultKind {
    Flap,
    Reset,
    Blackhole,
    LostReply,
    CutReply,
    Latency,
    Bandwidth,
    Slicer,
    Status(u16),
}

impl FaultKind {
    const ALL: [Self; 10] = [
        Self::Flap,
        Self::Reset,
        Self::Blackhole,
        Self::LostReply,
        Self::CutReply,
        Self::Latency,
        Self::Bandwidth,
        Self::Slicer,
        Self::Status(503),
        Self::Status(429),
    ];

    /// The same, or one that is possible on a link without HTTP.
    fn on(self, link: LinkName) -> Self {
        let is_http = LinkName::HTTP.contains(&link);
        if !is_http && matches!(self, Self::Status(_)) {
            Self::Flap
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn abilities() -> Abilities {
        Abilities {
            links: vec![LinkName::ApiToDatabase, LinkName::WorkerToParser],
            deletes: true,
            retries: true,
        }
    }

    #[test]
    fn a_seed_gives_one_schedule_that_survives_json() {
        let length = Duration::from_mins(1);
        let steps = schedule(7, length, &abilities());
        assert_eq!(steps, schedule(7, length, &abilities()));
        assert_ne!(steps, schedule(8, length, &abilities()));
        let text = serde_json::to_string(&steps).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Step>>(&text).unwrap(), steps);
    }

    #[test]
    fn a_wrong_step_of_a_file_is_named() {
        let drawn = schedule(7, Duration::from_secs(20), &abilities());
        check(&serde_json::to_value(drawn).unwrap()).unwrap();
        let upload = json!({ "at_ms": 0, "action": "upload" });
        for (wrong, part) in [
            (json!({ "at_ms": 5, "action": "jump" }), "jump"),
            (json!({ "action": "upload" }), "at_ms"),
            (
                json!({ "at_ms": 5, "action": { "fault": {
                    "link": "nowhere", "lasts_ms": 1, "injection": { "fault": { "fault": "reset" } }
                } } }),
                "nowhere",
            ),
            (
                json!({ "at_ms": 5, "action": { "fault": {
                    "link": "client_to_api", "lasts_ms": 1,
                    "injection": { "fault": { "fault": "reset" }, "probability": 2.0 }
                } } }),
                "probability",
            ),
        ] {
            let error = check(&json!([upload, wrong])).unwrap_err();
            assert!(
                error.starts_with("step 2: ") && error.contains(part),
                "{error}"
            );
        }
        check(&json!({})).unwrap_err();
    }

    #[test]
    fn every_schedule_is_in_order_within_its_length_and_valid() {
        for seed in 0..200 {
            let steps = schedule(seed, Duration::from_secs(20), &abilities());
            assert!(steps.is_sorted_by_key(|step| step.at_ms), "{seed}");
            assert!(steps.iter().all(|step| step.at_ms <= 20_000), "{seed}");
            for step in &steps {
                if let StepAction::Fault { injection, .. } = &step.action {
                    injection.check().unwrap();
                }
            }
        }
    }

    #[test]
    fn one_action_at_a_time_is_applied_to_the_processes() {
        for seed in 0..200 {
            let mut free_from = 0;
            for step in schedule(seed, Duration::from_mins(1), &abilities()) {
                let lasts = match step.action {
                    StepAction::KillWorkers { lasts_ms }
                    | StepAction::PauseWorkers { lasts_ms }
                    | StepAction::KillApi { lasts_ms } => lasts_ms,
                    StepAction::ScaleWorkers { .. } => 0,
                    StepAction::Upload
                    | StepAction::Delete
                    | StepAction::Retry
                    | StepAction::Fault { .. } => continue,
                };
                assert!(step.at_ms >= free_from, "{seed}");
                free_from = step.at_ms + lasts;
            }
        }
    }

    #[test]
    fn what_a_target_cannot_do_is_not_drawn() {
        let none = Abilities {
            links: Vec::new(),
            deletes: false,
            retries: false,
        };
        for step in schedule(3, Duration::from_mins(2), &none) {
            let is_drawn = matches!(
                step.action,
                StepAction::Fault { .. } | StepAction::Delete | StepAction::Retry
            );
            assert!(!is_drawn, "{step:?}");
        }
    }
}
