//! The policy: the rules of a go, as data.

mod age;
mod parse;
mod profile;
mod rules;
#[cfg(test)]
mod tests;

pub use age::Age;
pub use parse::PolicyError;
pub use profile::ProfileRule;
pub use rules::{Policy, SuiteRule, Waiver};
