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
pub use lanes::{PoolError, StackLease, StackPool};
pub use ledger::LedgerError;
pub use mark::ProcessIdentity;
pub use ports::NoPort;
#[cfg(feature = "embedded-postgres")]
pub use postgres::DownloadError;
pub use postgres::{FindError, Installation, TemplateError, UserAccountError};
pub use process::{OneShotOutcome, Process, ProcessError};
pub use running::{ExtraApi, Stack, Worker, newest_leased, stop_by_directory};
pub use serving::StandinHost;
pub use site::{StackDir, StackDirError};
pub use spec::{CommandLine, Images, Overrides, ServiceTemplate, StackSpec, apply};
pub use start::{StackError, preflight};
pub use sweep::{SweepError, SweepReport, SweepScope, sweep, sweep_containers};
pub use system::{Endpoints, Environment, StandinPlacement, System, SystemError};
