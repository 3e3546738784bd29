//! Running a plan: one session, two front ends.

mod lease;
mod libtest;
mod progress;
mod residue;
mod schedule;
mod session;
mod standins;
mod system;

pub use libtest::{LibtestSettings, libtest};
pub use progress::Progress;
pub use residue::{Residue, remove_residue};
pub use schedule::{Schedule, run_all};
pub use session::{Session, SessionConfig, SessionError};
pub use standins::StandinsMode;
pub use system::{AttachedSpec, SystemSpec};
