//! Code that several suites share.

pub mod awaiting_callback;
pub mod findings;
pub mod held;
pub mod hostile_uploads;
pub mod idle_transactions;
pub mod json;
pub mod outcomes;
pub mod own_database;
pub mod pairwise;
pub mod responses;
pub mod row_history;
pub mod scenario;
pub mod texts;
pub mod unknown_paths;
pub mod write_stops;
