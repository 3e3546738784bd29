//! Callbacks of the parser.

pub(crate) mod callback_delivery;
pub(crate) mod callback_format;
pub(crate) mod callback_forms;
pub(crate) mod half_surrogates;
pub(crate) mod pages;
pub(crate) mod payload_combinations;
pub(crate) mod stale_reports;
