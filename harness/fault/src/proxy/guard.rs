//! The guard of an injected fault: it fires, reads and heals the fault.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::probe::Prober;
use crate::injected::{FaultSet, FaultState, FaultStatus, Injected, Touched};

/// How long a healed fault may take to leave the open connections.
const LEAVING: Duration = Duration::from_secs(2);

/// A fault that may not be healed.
#[derive(Debug, thiserror::Error)]
pub enum HealError {
    /// Connections still apply the fault.
    #[error("heal fault '{fault}': {places} directions of open connections still apply it")]
    StillApplied {
        /// The name of the fault.
        fault: &'static str,
        /// The directions of connections that apply it.
        places: usize,
    },
    /// A new connection did not reach the dependency.
    #[error("heal fault '{fault}': a new connection does not reach the dependency")]
    Unreachable {
        /// The name of the fault.
        fault: &'static str,
        /// The cause.
        source: io::Error,
    },
}

/// An injected fault; dropping the guard heals it.
#[derive(Debug)]
#[must_use = "bind the guard to a variable: dropping it heals the fault at once"]
pub struct FaultGuard {
    faults: Arc<FaultSet>,
    injected: Arc<Injected>,
    prober: Prober,
}

impl FaultGuard {
    pub(super) fn new(faults: Arc<FaultSet>, injected: Arc<Injected>, prober: Prober) -> Self {
        Self {
            faults,
            injected,
            prober,
        }
    }

    /// Makes the fault active, whatever its trigger is.
    pub fn fire(&self) {
        self.faults.activate(&self.injected);
    }

    /// What the fault has touched so far.
    pub fn touched(&self) -> Touched {
        self.injected.touched()
    }

    /// The fault as it is now.
    pub fn status(&self) -> FaultStatus {
        self.injected.status()
    }

    /// Whether the fault has been removed, e.g. at the end of its time to live.
    pub fn is_removed(&self) -> bool {
        self.status().state == FaultState::Removed
    }

    /// Heals the fault and verifies it: no open connection applies it, and a new connection reaches
    /// the dependency. Another fault of the proxy may prevent the latter.
    pub async fn heal(self) -> Result<Touched, HealError> {
        self.faults.remove(&self.injected);
        let fault = self.injected.injection.fault.name();
        let left = tokio::time::timeout(LEAVING, self.left()).await;
        if left.is_err() {
            let places = self.injected.places.load(Ordering::Acquire);
            return Err(HealError::StillApplied { fault, places });
        }
        let probe = self.prober.probe(self.faults.runtime()).await;
        probe.map_err(|source| HealError::Unreachable { fault, source })?;
        Ok(self.touched())
    }

    async fn left(&self) {
        while self.injected.places.load(Ordering::Acquire) > 0 {
            // Connections drop the fault when they are polled next, which takes microseconds.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        self.faults.remove(&self.injected);
    }
}
