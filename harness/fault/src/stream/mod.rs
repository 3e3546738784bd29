//! What flows through a proxy: pieces, the faults' decisions on them, and the line they wait in.

mod delay_line;
mod flow;
mod piece;

pub(crate) use delay_line::{DelayLine, HALF_TICK};
pub(crate) use flow::{Answers, Flow};
pub(crate) use piece::{Content, Cut, Piece};
