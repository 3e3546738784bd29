//! `cutover init`: writes a commented target file for a pipeline that somebody runs.

mod answers;
mod file;
mod questions;
mod verb;

pub(super) use verb::Init;
