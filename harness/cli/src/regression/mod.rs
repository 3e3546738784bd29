//! `cutover baseline` and `cutover compare`: whether a pipeline became slower than it was.

mod against_baseline;
mod baseline;
mod compare;
mod measuring;
mod sides;
mod subject;
mod table;

pub(super) use against_baseline::{Baseline, BaselineOption};
pub(super) use baseline::BaselineCommand;
pub(super) use compare::Compare;
