//! Pacers: pure functions from the index of a request to the time at which it is due.

mod constant;
mod error;
mod phases;
mod poisson;
mod ramp;
mod replay;
mod shard;
mod step;

use std::time::Duration;

pub use constant::Constant;
pub(crate) use constant::exact;
pub use error::PacerError;
pub use phases::Phases;
pub use poisson::poisson;
pub use ramp::Ramp;
pub use replay::Replay;
pub use shard::{Shard, Sharded};
pub use step::Step;

/// Determines when each request of a load is due.
pub trait Pacer: Send + Sync {
    /// When request `n`, counted from 0, is due since the start; `None` after the end of the load.
    ///
    /// A later request is never due before an earlier one.
    fn due(&self, n: u64) -> Option<Duration>;

    /// All times, computed in advance.
    fn schedule(&self) -> Vec<Duration> {
        (0..).map_while(|n| self.due(n)).collect()
    }
}
