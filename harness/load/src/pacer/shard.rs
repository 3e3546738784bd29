//! A part of a load, so that several processes share one schedule.

use std::time::Duration;

use super::{Pacer, PacerError};

/// Every request whose number modulo `of` is `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    of: u64,
}

impl Shard {
    /// The whole load.
    pub const ALL: Self = Self { index: 0, of: 1 };

    /// A shard; the index counts from 0.
    pub fn new(index: u64, of: u64) -> Result<Self, PacerError> {
        let is_valid = index < of;
        is_valid
            .then_some(Self { index, of })
            .ok_or(PacerError::Shard { index, of })
    }

    /// The number of the shard, from 0.
    pub fn index(self) -> u64 {
        self.index
    }

    /// The number of shards.
    pub fn of(self) -> u64 {
        self.of
    }
}

/// The requests of one shard of a load.
#[derive(Clone, Copy, Debug)]
pub struct Sharded<P> {
    /// The whole load.
    pub pacer: P,
    /// The part of it.
    pub shard: Shard,
}

impl<P: Pacer> Pacer for Sharded<P> {
    fn due(&self, n: u64) -> Option<Duration> {
        let position = n.checked_mul(self.shard.of)?;
        self.pacer.due(position.checked_add(self.shard.index)?)
    }
}

impl Pacer for Box<dyn Pacer> {
    fn due(&self, n: u64) -> Option<Duration> {
        self.as_ref().due(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacer::poisson;

    #[test]
    fn the_shards_of_a_load_are_the_load() {
        let pacer = poisson(500.0, Duration::from_secs(1), 1).unwrap();
        let mut together = Vec::new();
        for index in 0..3 {
            let shard = Shard::new(index, 3).unwrap();
            let pacer = pacer.clone();
            together.extend(Sharded { pacer, shard }.schedule());
        }
        together.sort_unstable();
        assert_eq!(together, pacer.schedule());
    }
}
