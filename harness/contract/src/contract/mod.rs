//! What the pipeline promises, read from a contract file, and the typed client that holds it to that.

mod accepted;
mod callback;
mod client;
mod created;
mod derive;
mod endpoint;
mod fields;
mod ids;
mod job_view;
mod journey;
mod model;
mod parse;
mod pointer;
mod reading;
mod requests;
mod shape;
mod signature;
mod span;
mod template;
#[cfg(test)]
mod tests;
mod times;
mod upload;
mod vocabulary;

pub use accepted::{Accepted, Completed};
pub use callback::{CallbackAuth, CallbackKeys, CallbackRules, Proof};
pub use client::Pipeline;
pub use created::{Created, CreationLog};
pub use endpoint::{Endpoint, Presence, Route};
pub use fields::{
    AcceptedFields, DocumentFields, ErrorFields, Fields, JobFields, JobsFields, LimitFields,
    RetryFields, SearchFields, VersionFields,
};
pub use ids::{Derivation, Ids};
pub use job_view::JobView;
pub use model::{
    Chunker, Contract, DatabaseLayout, Embedder, Limits, NameHash, ObjectName, StorageLayout,
    Timing,
};
pub use parse::ContractError;
pub use pointer::Pointer;
pub use requests::{Requests, SearchRequest, UploadRequest};
pub use shape::Shape;
pub use span::Span;
pub use times::Times;
pub use upload::Upload;
pub use vocabulary::{Failures, LegalStates, Vocabulary};
