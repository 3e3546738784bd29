//! Reads JSON bodies with the contract's pointers. A missing value is a finding.

use cutover_harness::contract::Pointer;
use cutover_harness::prelude::*;
use serde_json::Value;

/// The value at a pointer, or a finding that names the missing field.
///
/// If the contract does not define the pointer, the check does not apply.
pub fn value_at<'a>(pointer: &Pointer, document: &'a Value, what: &str) -> CheckResult<&'a Value> {
    pointer.find(document).ok_or_else(|| {
        if !pointer.is_given() {
            return Stop::not_applicable(format!(
                "the contract does not define this field of {what}"
            ));
        }
        Stop::violated(
            Finding::new(format!("{what} has no {}", pointer.as_str()))
                .comparing(pointer.as_str(), document.to_string()),
        )
    })
}

/// The list at a pointer.
pub fn list_at<'a>(pointer: &Pointer, document: &'a Value, what: &str) -> CheckResult<&'a [Value]> {
    let found = value_at(pointer, document, what)?;
    found.as_array().map(Vec::as_slice).ok_or_else(|| {
        Stop::violated(Finding::new(format!(
            "{} of {what} is not a list",
            pointer.as_str()
        )))
    })
}
