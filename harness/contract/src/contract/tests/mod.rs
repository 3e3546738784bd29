//! The client against pipelines that keep the contract, and against some that do not.

mod created_documents;
mod document_flow;
mod endpoints;
mod served;
