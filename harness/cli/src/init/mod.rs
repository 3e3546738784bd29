//! `cutover init`: writes a commented target file for a deployed pipeline.

mod answers;
mod command;
mod questions;
mod target_text;

pub(super) use command::Init;
