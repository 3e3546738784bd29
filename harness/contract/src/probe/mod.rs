//! Probes: each asks one surface of the system under test and records the answer; none of them judges.

mod answer;
mod body;
mod certificate;
mod client;
mod curl;
mod eventually;
mod gate;
mod http;
mod logs;
mod mask;
mod parameter;
mod patience;
mod reply;
mod request;
mod rows;
mod sql;
mod storage;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod vector;
mod way;

pub use client::client_builder;
pub use eventually::{IntoPoll, Poll, eventually};
pub use gate::RequestGate;
pub use http::{DEADLINE, Http, HttpError, MAX_BODY, NoResponse, client};
pub use logs::{Log, LogError, Logs};
pub use parameter::Parameter;
pub use patience::StallAwareDeadline;
pub use reply::Reply;
pub use request::Request;
pub use rows::{ChunkRow, DocumentRow, EventRow, JobRow};
pub use sql::{Database, DatabaseError, pool};
pub use storage::{ObjectHead, Storage, StorageError, StoredObject};
pub use vector::Vector;
pub use way::{certified, connected, resolved};
