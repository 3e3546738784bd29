//! The processes of a stack: how they are started, what can be done to them, and what runs beside them.

mod errand;
mod live;
mod recipe;

pub use errand::Attempt;
pub(crate) use errand::Errand;
pub use live::{Process, ProcessError};
pub(crate) use recipe::{Account, Recipe};
