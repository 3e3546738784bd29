//! The rules of the suite, by topic: the catalogue of what a pipeline must withstand, and what proves each.

mod authentication;
mod callbacks;
mod headers;
mod inputs;
mod limits;
mod row_security;
mod secrets;
mod storage;
mod table;
mod tenants;
#[cfg(test)]
mod tests;
mod transport;
mod uploads;

use cutover_harness::rule::Rule;

/// All rules, in the order in which they are listed.
pub(crate) const RULES: &[&[Rule]] = &[
    authentication::RULES,
    tenants::RULES,
    row_security::RULES,
    storage::RULES,
    callbacks::RULES,
    inputs::RULES,
    uploads::RULES,
    headers::RULES,
    transport::RULES,
    secrets::RULES,
    limits::RULES,
];
