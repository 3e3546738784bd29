//! `cutover init`: writes a commented target file for a deployed pipeline.

mod answers;
mod command;
mod contract_options;
mod draft;
mod existing;
mod field_names;
mod identity_text;
mod learn;
mod leaves;
mod openapi;
mod questions;
mod target_text;
mod vocabulary;

pub(super) use command::Init;
