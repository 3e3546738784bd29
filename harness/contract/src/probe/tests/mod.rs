//! The probes against servers that behave, and against servers that do not.

pub(crate) mod cluster;
mod hostile;
mod hostile_sql;
mod http;
pub(crate) mod recorded;
mod sql;
mod storage;
pub(crate) mod wire;
