//! The dependency goes down and comes back, again and again.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::behaviour::LONGEST_MS;
use super::{Admission, Behaviour, CutAt, EffectContext, FaultEffect, FaultError};
use crate::stream::Cut;

/// Alternates: while down, new connections are closed, and open ones are reset when it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flap {
    /// The time down, with which the fault begins, in milliseconds: 1 to a day.
    pub down_ms: u64,
    /// The time up, in milliseconds: 1 to a day.
    pub up_ms: u64,
}

struct CutWhenDown(Instant);

impl Flap {
    /// Down without an end: open connections are reset, and new ones closed.
    pub const DOWN: Self = Self {
        down_ms: LONGEST_MS,
        up_ms: 1,
    };

    /// When it is down next: now, if it is down.
    fn down_from(&self, since: Instant, now: Instant) -> Instant {
        let down = Duration::from_millis(self.down_ms);
        let cycle = down + Duration::from_millis(self.up_ms);
        let elapsed = (now - since).as_nanos() % cycle.as_nanos();
        let elapsed = Duration::from_nanos(u64::try_from(elapsed).unwrap_or_default());
        if elapsed < down {
            now
        } else {
            now + cycle.saturating_sub(elapsed)
        }
    }
}

impl Behaviour for Flap {
    fn name(&self) -> &'static str {
        "flap"
    }

    fn check(&self) -> Result<(), FaultError> {
        FaultError::check(self.name(), "down_ms", self.down_ms, 1..=LONGEST_MS)?;
        FaultError::check(self.name(), "up_ms", self.up_ms, 1..=LONGEST_MS)
    }

    fn admit(&self, since: Instant) -> Admission {
        let now = Instant::now();
        if self.down_from(since, now) == now {
            Admission::End(Cut::Close)
        } else {
            Admission::Forward
        }
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        let down = self.down_from(place.since, Instant::now());
        Some(Box::new(CutWhenDown(down)))
    }
}

impl FaultEffect for CutWhenDown {
    fn cut(&self) -> Option<CutAt> {
        let how = Cut::Reset;
        Some(CutAt { at: self.0, how })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_down_first_and_then_in_turns() {
        let flap = Flap {
            down_ms: 20,
            up_ms: 80,
        };
        let since = Instant::now();
        let at = |ms| since + Duration::from_millis(ms);
        for (now, down) in [
            (0, 0),
            (19, 19),
            (20, 100),
            (99, 100),
            (100, 100),
            (150, 200),
        ] {
            assert_eq!(flap.down_from(since, at(now)), at(down), "{now} ms");
        }
    }
}
