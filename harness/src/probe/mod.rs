//! Probes: each asks one surface of the system under test and records the answer; none of them judges.

mod body;
mod curl;
mod eventually;
mod http;
mod mask;
mod reply;
mod request;
mod rows;
mod sql;
mod storage;
mod tables;
mod vector;

pub use eventually::{Look, Sight, eventually};
pub use http::{DEADLINE, Http, HttpError, MAX_BODY, client};
pub use reply::Reply;
pub use request::Request;
pub use rows::{ChunkRow, DocumentRow, EventRow, JobRow};
pub use sql::{Database, DatabaseError, Parameter, pool};
pub use storage::{ObjectHead, Storage, StorageError, StoredObject};
pub use vector::Vector;
