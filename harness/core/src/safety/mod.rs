//! Safety: what a run may do to a target that is not ours, proven before it begins and kept to while it runs.

mod limits;
mod safeguards;
mod settings;

pub(crate) use safeguards::Safeguards;
pub use settings::SafetySettings;
