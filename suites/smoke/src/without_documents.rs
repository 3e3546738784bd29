//! The checks of this suite that need no completed document.

/// They are tried even if no document becomes complete. Every other check relies on that.
pub(crate) const WITHOUT_DOCUMENTS: &[&str] = &[
    "the_limits_are_those_of_the_contract",
    "nobody_gets_in_without_a_token",
    "probe_responses_are_not_cached",
];
