//! `cutover doctor`: looks whether a target can be reached, step by step, and what could be checked there.

mod control;
mod doors;
mod prospects;
mod report;
mod verb;
mod way;

pub(super) use verb::Doctor;
