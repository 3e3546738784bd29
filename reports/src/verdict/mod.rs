//! The verdict: the judgement of a run's record by a policy.

mod assessment;
mod judge;
mod reasons;
mod selection;
#[cfg(test)]
mod tests;
mod types;

pub use judge::judge;
pub use types::{
    CheckStatus, CheckVerdict, Counts, Decision, Reason, SkipReason, SuiteCounts, VERDICT_VERSION,
    Verdict,
};
