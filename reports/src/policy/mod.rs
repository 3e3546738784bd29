//! The policy: the rules for a GO, as data.

mod human_duration;
mod objective;
mod parse;
mod profile;
mod rules;
#[cfg(test)]
mod tests;
mod validate;
mod waiver;
#[cfg(test)]
mod waiver_tests;

pub use human_duration::HumanDuration;
pub use objective::{Expression, Objective, Operator, SeriesPart, Statistic};
pub use parse::PolicyError;
pub use profile::ProfileRule;
pub use rules::{Policy, SuiteRule};
pub use waiver::{MAX_WAIVER_DAYS, Waiver, WaiverSubject};
