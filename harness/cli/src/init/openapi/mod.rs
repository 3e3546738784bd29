//! Proposes a contract from the OpenAPI document of a target.

mod document;
mod endpoints;
mod error;
mod propose;
mod schema;
#[cfg(test)]
mod tests;

pub(super) use document::{read_document, read_operations};
pub(super) use error::OpenApiError;
pub(super) use propose::propose;
