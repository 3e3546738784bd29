//! What flows through a proxy: pieces, what faults decide on them, and the line in which they wait.

mod delay_line;
mod flow;
mod pace;
mod piece;
mod request_head;

pub(crate) use delay_line::{DelayLine, HALF_TICK};
pub(crate) use flow::{Answers, Flow};
pub(crate) use pace::Pace;
pub(crate) use piece::{Content, Cut, Piece};
pub(crate) use request_head::{Head, RequestHead};
