//! Control: API and workers are told to stop, start, pause or be more, whoever runs them.

mod commands;
mod error;
mod instruction;
mod tell;

pub(crate) use commands::Commands;
pub use instruction::Instruction;
pub(crate) use tell::tell_stack;
