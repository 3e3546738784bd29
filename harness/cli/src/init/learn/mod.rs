//! Learns the contract of a live target: runs one document through it and looks at every answer.

mod answers;
mod document;
mod error;
mod processing;
mod refusals;
mod registration;
mod session;
mod standins;
mod steps;
mod times;

pub(super) use error::LearnError;
pub(super) use session::Session;
pub(super) use steps::learn;
