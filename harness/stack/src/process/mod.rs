//! The processes of a stack: how they are started, what can be done to them, and what runs beside them.

mod body;
mod child;
mod errand;
mod live;
mod recipe;

pub(crate) use body::{Birth, Body, Order};
pub(crate) use child::{Account, Child};
pub use errand::OneShotOutcome;
pub(crate) use errand::{Errand, require_success};
pub use live::{Process, ProcessError};
pub(crate) use recipe::Recipe;
