//! Ends a load early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends a load early, from any thread.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks for the end of the load, which follows within 100 milliseconds.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
