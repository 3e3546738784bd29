//! `cutover load`: sends requests at a rate, and tells how long they took.

mod allowed;
mod command;
mod outcome;
mod text;
mod threshold;

pub(super) use command::LoadCommand;
