//! A load: what is sent, over how many connections, and how long it may take.

use std::io;
use std::time::Duration;

use crate::{Request, SeriesError};

/// A load that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no connection to use.
    #[error("run a load without connections")]
    NoConnection,
    /// A request has no time.
    #[error("run a load with a timeout of zero")]
    NoTimeout,
    /// A load in a closed loop has no duration.
    #[error("run a load with a duration of zero")]
    NoDuration,
    /// The system cannot tell which connections are ready.
    #[error("wait for the connections of a load")]
    Wait(#[source] io::Error),
    /// A histogram cannot be built.
    #[error("record the load")]
    Series(#[from] SeriesError),
}

/// What a load sends, and how.
#[derive(Clone, Debug)]
pub struct Load {
    /// The request.
    pub request: Request,
    /// The number of connections, each of which has at most one request in flight.
    pub connections: usize,
    /// The longest time from sending a request to its response.
    pub timeout: Duration,
    /// How long requests may take after the last one was due.
    pub drain: Duration,
    /// When each phase ends, except the last.
    pub phase_ends: Vec<Duration>,
}

impl Load {
    /// A load with 64 connections, a timeout of 10 seconds and as long to drain.
    pub fn new(request: Request) -> Self {
        Self {
            request,
            connections: 64,
            timeout: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            phase_ends: Vec::new(),
        }
    }
}
