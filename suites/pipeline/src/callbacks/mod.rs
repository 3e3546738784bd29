//! Callbacks of the parser.

pub(crate) mod callback_delivery;
pub(crate) mod callback_format;
pub(crate) mod payload_combinations;
