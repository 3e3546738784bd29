//! The verdict: what a run's record means by the rules of a policy.

mod answer;
mod judge;
mod reasons;
#[cfg(test)]
mod tests;
mod types;

pub use judge::judge;
pub use types::{Counts, Decision, Judged, Reason, Status, SuiteCounts, VERDICT_VERSION, Verdict};
