//! A load generator: when each request is due, sending it over HTTP, and how long it took.
//!
//! A [`Pacer`] is a value that determines when each request is due. [`Load::open`] sends each request at
//! that time, whether or not earlier ones were answered, and clocks it from the time at which it was
//! due. A server that stalls therefore shows in the response times, because the requests that it delays
//! were due nevertheless. A [`Report`] accounts for every request that was due.
//!
//! ```no_run
//! use std::time::Duration;
//! use cutover_load::{Constant, Load, Request, Stop};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let load = Load::new(Request::get("http://127.0.0.1:8000/health")?);
//! let pacer = Constant::new(500.0, Duration::from_secs(10))?;
//! let report = load.open(&pacer, &Stop::default())?;
//! assert!(report.account().is_balanced());
//! # Ok(())
//! # }
//! ```

mod account;
mod connection;
mod engine;
mod hit;
mod load;
mod machine_use;
mod pacer;
mod report;
mod request;
mod response;
mod run;
pub mod self_test;
mod series;
mod shards;
mod source;
mod steady_state;
mod stop;
mod validity;

pub use account::Account;
pub use hit::{Hit, HitOutcome};
pub use load::{Load, LoadError};
pub use machine_use::{MachineUse, MachineUseStart};
pub use pacer::{Constant, Pacer, PacerError, Phases, Ramp, Replay, Shard, Sharded, Step, poisson};
pub use report::{Measured, MergeError, Report, Second};
pub use request::{Request, RequestError};
pub use series::{Quantile, Series, SeriesError};
pub use shards::{JoinError, Joined, ShardReport, join};
pub use steady_state::{Slope, Truncation, mser5, slope};
pub use stop::Stop;
pub use validity::{Circumstances, Validity, steadiness, validity};
