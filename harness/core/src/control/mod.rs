//! Control: API and workers are told to stop, start, pause or be more, whoever runs them.

mod commands;
mod error;
mod settings;
mod tell;

pub(crate) use commands::Commands;
pub(crate) use settings::ControlSettings;
pub(crate) use tell::tell_stack;
