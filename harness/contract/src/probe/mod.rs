//! Probes: each observes one surface of the system under test and records the result; no probe judges it.

mod body_excerpt;
mod certificate;
mod client;
mod connectivity;
mod curl;
mod deadline;
mod eventually;
mod exchange;
mod gate;
mod http;
mod http_error;
mod log_source;
mod logs;
mod mask;
mod parameter;
mod request;
mod response;
mod rows;
mod shorten;
mod sql;
mod storage;
mod table_names;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod vector;
mod writes;

pub use ::http::Method;
pub use client::client_builder;
pub use connectivity::{ConnectivityError, certificate_expiry, connect, resolve};
pub use deadline::StallAwareDeadline;
pub use eventually::{IntoPoll, Poll, eventually};
pub use gate::RequestGate;
pub use http::{Http, client};
pub use http_error::{HttpError, MAX_BODY, NoResponse};
pub use log_source::{LogError, LogSource};
pub use logs::{Log, Logs};
pub use parameter::Parameter;
pub use request::{DEADLINE, Request};
pub use response::Response;
pub use rows::{ChunkRow, DocumentRow, EventRow, JobRow};
pub use sql::{Database, DatabaseError, pool};
pub use storage::{ObjectHead, Storage, StorageError, StoredObject};
pub use table_names::ReadError;
pub use vector::Vector;
pub use writes::{Attempt, DatabaseWrites, HeldTransaction};
