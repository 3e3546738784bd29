//! The directory of a stack, and its removal together with the stack's processes and containers.

mod directory;
mod error;
mod teardown;

pub use directory::StackDir;
pub(crate) use directory::{PREFIX, stacks_under, unfinished_under};
pub use error::StackDirError;
pub(crate) use teardown::{remove_directory, teardown};
