//! The system under test and its dependencies, provisioned by us, as processes or as containers.
//!
//! A stack is a directory: `ledger.json` names its owner and its processes and
//! is written before there are any, `card.json` says where everything is and
//! how to get in, and `logs/` has what the processes said. Whoever finds the
//! directory of a stack whose owner is gone can remove all of it.

mod card;
mod containers;
mod demolition;
mod ground;
mod inhabitants;
mod keys;
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
mod settings;
mod site;
mod spec;
mod start;
mod sweep;
#[cfg(test)]
mod tests;
mod wiring;

pub use card::{CardError, DatabaseCard, ProcessCard, StackCard, StackKind, SupabaseCard};
pub use containers::ContainerError;
pub use keys::KeyError;
pub use lanes::{LaneError, LaneLease, Lanes};
pub use ledger::LedgerError;
pub use mark::Mark;
pub use ports::NoPort;
#[cfg(feature = "embedded-postgres")]
pub use postgres::DownloadError;
pub use postgres::{AccountError, FindError, Installation, TemplateError};
pub use process::{Attempt, Process, ProcessError};
pub use running::{Beside, Stack, Worker, published, take_down};
pub(crate) use serving::StandinHost;
pub use settings::PipelineSettings;
pub use site::{Site, SiteError};
pub use spec::{CommandLine, Images, Overrides, StackSpec};
pub use start::{StackError, preflight};
pub use sweep::{Reach, SweepError, SweepReport, sweep, sweep_containers};
