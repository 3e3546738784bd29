//! Bytes arrive in small pieces.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Behaviour, Direction, EffectContext, FaultEffect, FaultError};
use crate::stream::{Flow, Pace, Piece};

/// Forwards what flows in `direction` in small pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slicer {
    /// The direction.
    #[serde(default)]
    pub direction: Direction,
    /// The mean size of a piece in bytes: 1 to 65536.
    pub average_bytes: u32,
    /// A size differs from the mean by at most this many bytes: 0 to one less than the mean.
    #[serde(default)]
    pub variation_bytes: u32,
    /// Microseconds between two pieces: 0 to 60 seconds. Those below a millisecond are kept on
    /// average only.
    #[serde(default)]
    pub delay_us: u64,
}

struct Slices {
    sizes: (u32, u32),
    delay: Duration,
    random: StdRng,
    pace: Pace,
}

impl Behaviour for Slicer {
    fn name(&self) -> &'static str {
        "slicer"
    }

    fn check(&self) -> Result<(), FaultError> {
        let average = self.average_bytes;
        FaultError::check(self.name(), "average_bytes", average, 1..=65_536)?;
        let variation = self.variation_bytes;
        FaultError::check(self.name(), "variation_bytes", variation, 0..=average - 1)?;
        FaultError::check(self.name(), "delay_us", self.delay_us, 0..=60_000_000)
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        let (average, variation) = (self.average_bytes, self.variation_bytes);
        self.direction.includes(place.direction).then(|| {
            Box::new(Slices {
                sizes: (average - variation, average + variation),
                delay: Duration::from_micros(self.delay_us),
                random: place.random(),
                pace: Pace::default(),
            }) as Box<dyn FaultEffect>
        })
    }
}

impl FaultEffect for Slices {
    fn shape(&mut self, mut piece: Piece, flow: &mut Flow<'_>) {
        loop {
            let size = self.random.random_range(self.sizes.0..=self.sizes.1);
            let first = piece.split_off_first(size as usize);
            let last = first.is_none();
            let slice = first.unwrap_or_else(|| piece.clone());
            let hold = self.pace.hold(&slice, self.delay);
            flow.hold(slice, hold);
            if last {
                return;
            }
        }
    }

    fn reads_from(&self) -> Option<Instant> {
        self.pace.reads_from()
    }
}
