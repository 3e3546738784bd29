//! A target that cutover did not start: its processes are controlled, its traffic passes links, and it stays as it was.

mod busy;
mod control;
mod links;
mod stack;
mod sweep;
