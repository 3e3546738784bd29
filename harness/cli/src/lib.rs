//! The command line of cutover: one module per subcommand.

mod calibrate;
mod calibration;
mod child;
mod command_line;
mod completions;
mod doctor;
mod dry_run;
mod error;
mod error_message;
mod execution;
mod init;
mod judge;
mod list;
mod load;
mod options;
mod output;
mod preflight;
mod proxy;
mod regression;
mod runtime;
mod schema;
mod shrink;
mod smoke;
mod stack;
mod stack_option;
mod sweep;
mod torment;
mod validate;

pub use command_line::main;
use error::{CommandError, UsageError};
