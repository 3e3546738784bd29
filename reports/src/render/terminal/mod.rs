//! The terminal: one line per check while a run lives, and the report at its end.

mod check_line;
mod failure;
mod page;
mod report;

pub use check_line::check_line;
pub use report::Terminal;
