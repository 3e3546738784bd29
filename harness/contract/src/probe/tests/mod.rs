//! Tests of the probes against correct servers and faulty servers.

pub(crate) mod cluster;
mod hostile;
mod hostile_sql;
mod http;
pub(crate) mod recorded;
mod sql;
mod storage;
pub(crate) mod wire;
