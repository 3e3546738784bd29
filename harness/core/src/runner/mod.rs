//! Runs a plan: one session, two front ends.

mod generator_test;
mod libtest;
mod machine;
mod nextest;
mod progress;
mod residue;
mod schedule;
mod session;
mod standins_mode;
mod sut;

pub use libtest::{LibtestSettings, libtest};
pub use machine::this_machine;
pub use progress::{Progress, Verbosity};
pub use residue::{Residue, remove_residue};
pub use schedule::{Schedule, run_all};
pub use session::{Session, SessionConfig, SessionError};
pub use standins_mode::StandinsMode;
pub use sut::{AttachedSpec, SutSpec};
