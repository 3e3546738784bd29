//! The contract of a pipeline, read from a TOML file, and the typed client of its API.

mod accepted;
mod attempt;
mod callback;
mod chunk_text;
mod client;
#[expect(
    clippy::module_inception,
    reason = "the file is named after the type that it defines"
)]
mod contract;
mod created_documents;
mod deletion;
mod derive;
mod document_flow;
mod duration;
mod endpoint;
mod field_reader;
mod fields;
mod ids;
mod job_view;
mod log_lines;
mod parse;
mod pointer;
mod requests;
mod responses;
mod settled;
mod shape;
mod signature;
mod standing;
mod statuses;
mod template;
#[cfg(test)]
mod tests;
mod timestamps;
mod unfinished_jobs;
mod upload;
mod vocabulary;

pub use crate::layout::{DatabaseLayout, Read, Table, read};
pub use accepted::{Accepted, Completed};
pub use attempt::ResponseResult;
pub use callback::{CallbackAuth, CallbackKeys, CallbackRules, Proof};
pub use client::Pipeline;
pub use contract::{
    Chunker, Contract, Embedder, IdentityRules, Limits, NameHash, ObjectName, StorageLayout,
    Timing, Undocumented,
};
pub use created_documents::{CreatedDocuments, CreationLog};
pub use deletion::Witnesses;
pub use duration::DurationText;
pub use endpoint::{Endpoint, Presence, Route};
pub use fields::{
    AcceptedFields, DocumentFields, ErrorFields, Fields, JobFields, JobsFields, LimitFields,
    RetryFields, SearchFields, VersionFields,
};
pub use ids::{Derivation, Ids};
pub use job_view::JobView;
pub use log_lines::{LogFormat, LogLine, LogLines};
pub use parse::ContractError;
pub use pointer::Pointer;
pub use requests::{ListQuery, ParserSubmission, Requests, SearchRequest, UploadRequest};
pub use responses::{QuotedCause, Responses};
pub use shape::Shape;
pub use standing::{StandingRules, Way};
pub use statuses::{ExpectedStatus, PageLimit, StatusCodes, Statuses};
pub use timestamps::{TimestampFormat, TimestampFormats};
pub use upload::Upload;
pub use vocabulary::{DocumentWords, Failures, LegalStates, Vocabulary};
