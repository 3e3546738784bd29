//! The verdict: the judgement of a run's record by a policy.

mod assessment;
mod cause;
mod fingerprint;
mod groups;
mod judge;
mod normalise;
mod objectives;
mod place;
mod reasons;
mod selection;
#[cfg(test)]
mod tests;
mod types;
mod waivers;

pub use cause::{Cause, cause};
pub use groups::{CauseGroup, blocked_by};
pub use judge::judge;
pub use objectives::{ObjectiveStatus, ObjectiveVerdict};
pub use place::Place;
pub use types::{
    CheckStatus, CheckVerdict, Counts, Decision, Reason, SkipReason, SuiteCounts, VERDICT_VERSION,
    Verdict,
};
pub use waivers::{WaiverStatus, WaiverVerdict};
