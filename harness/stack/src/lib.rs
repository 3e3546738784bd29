//! Runs the system under test and its dependencies, as processes or as containers.
//!
//! A stack is a directory. `state.json` names the owner and the processes, and is written before
//! the first process starts. `stack.json` has the addresses and the credentials. `logs/` has the
//! output of the services. From this directory, another process can remove a stack whose owner has died.

mod address;
mod backend;
mod containers;
pub mod credentials;
mod launch;
mod links;
mod log;
mod pool;
mod ports;
mod postgres;
mod process_discovery;
mod process_identity;
mod process_usage;
mod readiness;
mod services;
mod spec;
mod stack;
mod stack_dir;
mod stack_error;
mod stack_info;
mod standin_host;
mod start;
mod state;
mod sweep;
mod system;
#[cfg(test)]
mod tests;
mod workers;

pub use containers::{ContainerError, ContainerUsage, WatchedContainers};
pub use launch::OneShotOutcome;
pub use pool::{PoolError, StackLease, StackPool};
pub use ports::NoPort;
#[cfg(feature = "embedded-postgres")]
pub use postgres::DownloadError;
pub use postgres::{FindError, Installation, TemplateError, UserAccountError};
pub use process_identity::ProcessIdentity;
pub use process_usage::ProcessUsage;
pub use services::{Service, ServiceError};
pub use spec::{
    CommandLine, Images, LinkEnd, Overrides, ServiceTemplate, StackLink, StackSpec, apply,
};
pub use stack::{ExtraApi, Stack, newest_leased, stop_by_directory};
pub use stack_dir::{StackDir, StackDirError};
pub use stack_error::StackError;
pub use stack_info::{ProcessInfo, StackInfo, StackInfoError, StackKind};
pub use standin_host::StandinHost;
pub use start::preflight;
pub use state::StateError;
pub use sweep::{SweepError, SweepReport, SweepScope, sweep, sweep_containers};
pub use system::{Endpoints, Environment, ServiceView, StandinPlacement, System, SystemError};
pub use workers::Worker;
