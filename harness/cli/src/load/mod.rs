//! `cutover load` sends requests at a rate, and tells how long they took; `cutover merge` joins reports of it.

mod allowed;
mod command;
mod merge;
mod outcome;
mod phase;
mod shard_file;
mod text;
mod threshold;

pub(super) use command::LoadCommand;
pub(super) use merge::Merge;
