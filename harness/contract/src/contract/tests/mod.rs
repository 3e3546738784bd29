//! The client against pipelines that follow the contract and pipelines that violate it.

mod created_documents;
mod deletion;
mod document_flow;
mod endpoints;
mod served;
mod standing;
