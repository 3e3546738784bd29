//! The service as its operators see it: routes, startup, configuration and self-reports.

pub(crate) mod black_box;
pub(crate) mod configuration_spellings;
pub(crate) mod configuration_variants;
pub(crate) mod embedding_models;
pub(crate) mod invariants;
pub(crate) mod request_costs;
pub(crate) mod routes;
pub(crate) mod self_reporting;
pub(crate) mod shapes;
pub(crate) mod startup;
