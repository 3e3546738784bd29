//! A pipeline that somebody else runs is controlled, led through links, and left as it was.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]

mod control;
mod links;
mod residue;
#[path = "../waiting/mod.rs"]
mod waiting;
mod world;
