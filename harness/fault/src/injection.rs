//! A fault with its circumstances: when it acts, on how many connections, and for how long.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::faults::{Fault, FaultError};

/// When a fault becomes active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// At once, on open and on new connections.
    #[default]
    Always,
    /// This many milliseconds after the injection.
    AfterMs(u64),
    /// On each connection, when it has carried this many bytes, both directions together. What a
    /// fault does to new connections, e.g. to refuse them, does not happen then.
    AfterBytes(u64),
    /// On the n-th connection after the injection and on every later one; the first is 1.
    FromConnection(u64),
    /// With the n-th request after the injection; the first is 1. A request begins with the first
    /// bytes that a client sends on a connection or after a reply.
    FromRequest(u64),
    /// When [`FaultGuard::fire`](crate::FaultGuard::fire) is called.
    OnEvent,
}

/// A fault and its circumstances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Injection {
    /// The fault.
    pub fault: Fault,
    /// The part of the connections that it affects, 0 to 1; each connection is drawn once.
    #[serde(default = "always")]
    pub probability: f64,
    /// When it becomes active.
    #[serde(default)]
    pub trigger: Trigger,
    /// It removes itself this many milliseconds after it became active.
    #[serde(default)]
    pub time_to_live_ms: Option<u64>,
    /// The seed of everything about it that is random.
    #[serde(default)]
    pub seed: u64,
}

fn always() -> f64 {
    1.0
}

impl<F: Into<Fault>> From<F> for Injection {
    fn from(fault: F) -> Self {
        Self::new(fault)
    }
}

impl Injection {
    /// A fault that acts at once and on every connection, until it is healed.
    pub fn new(fault: impl Into<Fault>) -> Self {
        Self {
            fault: fault.into(),
            probability: 1.0,
            trigger: Trigger::Always,
            time_to_live_ms: None,
            seed: 0,
        }
    }

    /// Affects only a part of the connections, 0 to 1.
    #[must_use]
    pub fn probability(self, probability: f64) -> Self {
        Self {
            probability,
            ..self
        }
    }

    /// Acts only after a trigger.
    #[must_use]
    pub fn trigger(self, trigger: Trigger) -> Self {
        Self { trigger, ..self }
    }

    /// Removes itself after a time.
    #[must_use]
    pub fn time_to_live(self, time: Duration) -> Self {
        let time_to_live_ms = Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        Self {
            time_to_live_ms,
            ..self
        }
    }

    /// Draws from another seed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Whether all values are within their ranges.
    pub fn check(&self) -> Result<(), FaultError> {
        let name = self.fault.name();
        FaultError::check(name, "probability", self.probability, 0.0..=1.0)?;
        let first = match self.trigger {
            Trigger::FromConnection(first) | Trigger::FromRequest(first) => first,
            Trigger::Always | Trigger::AfterMs(_) | Trigger::AfterBytes(_) | Trigger::OnEvent => 1,
        };
        FaultError::check(name, "trigger", first, 1..=u64::MAX)?;
        self.fault.check()
    }
}
