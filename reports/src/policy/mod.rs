//! The policy: the rules for a GO, as data.

mod human_duration;
mod objective;
mod parse;
mod profile;
mod rules;
#[cfg(test)]
mod tests;

pub use human_duration::HumanDuration;
pub use objective::{Expression, Objective, Operator, SeriesPart, Statistic};
pub use parse::PolicyError;
pub use profile::ProfileRule;
pub use rules::{Policy, SuiteRule, Waiver};
