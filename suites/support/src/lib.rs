//! Code that several suites share.

pub mod awaiting_callback;
pub mod json;
pub mod outcomes;
pub mod responses;
pub mod row_history;
pub mod write_stops;
