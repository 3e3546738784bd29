//! The system under test and its dependencies, provisioned by us, as processes or as containers.
//!
//! A stack is a directory: `ledger.json` names its owner and its processes and
//! is written before there are any, `stack.json` says where everything is and
//! how to get in, and `logs/` has what the processes said. Whoever finds the
//! directory of a stack whose owner is gone can remove all of it.

mod address;
mod containers;
pub mod credentials;
mod demolition;
mod ground;
mod info;
mod inhabitants;
mod lanes;
mod ledger;
mod log;
mod mark;
mod ports;
mod postgres;
mod process;
mod processes;
mod readiness;
mod running;
mod serving;
mod site;
mod spec;
mod start;
mod sweep;
mod system;
#[cfg(test)]
mod tests;

pub use containers::ContainerError;
pub use info::{ProcessInfo, StackInfo, StackInfoError, StackKind};
pub use lanes::{LaneError, LaneLease, Lanes};
pub use ledger::LedgerError;
pub use mark::Mark;
pub use ports::NoPort;
#[cfg(feature = "embedded-postgres")]
pub use postgres::DownloadError;
pub use postgres::{AccountError, FindError, Installation, TemplateError};
pub use process::{Attempt, Process, ProcessError};
pub use running::{Beside, Stack, Worker, published, take_down};
pub use serving::StandinHost;
pub use site::{Site, SiteError};
pub use spec::{CommandLine, Images, Overrides, ServiceTemplate, StackSpec, apply};
pub use start::{StackError, preflight};
pub use sweep::{Reach, SweepError, SweepReport, sweep, sweep_containers};
pub use system::{Endpoints, Environment, StandinPlacement, System, SystemError};
