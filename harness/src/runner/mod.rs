//! Running a plan: one session, two front ends.

mod interrupt;
mod lease;
mod libtest;
mod progress;
mod recipe;
mod residue;
mod schedule;
mod session;
mod standins;

pub(crate) use interrupt::Interrupt;
pub use libtest::{LibtestSettings, libtest};
pub(crate) use progress::Progress;
pub(crate) use recipe::stack_spec;
pub(crate) use residue::{Residue, remove_residue};
pub(crate) use schedule::{Course, run_all};
pub use session::SessionError;
pub(crate) use session::{Ingredients, Session};
pub(crate) use standins::Hosting;
