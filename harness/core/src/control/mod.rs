//! Control of an attached target: the commands of `[control]` in its target file, and how they are run.

mod commands;
mod error;
mod settings;

pub(crate) use commands::Commands;
pub(crate) use settings::ControlSettings;
