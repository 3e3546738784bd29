//! What the checks of several topics share.

pub(crate) mod awaiting_callback;
pub(crate) mod json;
pub(crate) mod outcomes;
