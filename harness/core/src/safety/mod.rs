//! Safety: limits of a run on an attached target, and the journal that restores the target.

mod limits;
mod safeguards;
mod settings;

pub(crate) use safeguards::Safeguards;
pub use settings::SafetySettings;
