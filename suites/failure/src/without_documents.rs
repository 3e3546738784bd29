//! The checks of this suite that need no completed document.

/// They are tried even if no document becomes complete. Every other check relies on that.
pub(crate) const WITHOUT_DOCUMENTS: &[&str] = &[
    "health_answers_while_requests_wait",
    "no_transaction_waits_for_a_provider::a_registration",
];
