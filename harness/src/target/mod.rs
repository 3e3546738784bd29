//! A target: where the system under test is, and what we may do to it.

mod file;
mod load;

pub use file::{Class, StackKind, StackSettings, Target};
pub use load::TargetError;
