//! Terminal output: one line per check during a run, and the report at its end.

mod check_line;
mod details;
mod page;
mod report;
mod wrap;

pub use check_line::check_line;
pub use report::Terminal;
