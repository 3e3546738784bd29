//! The pipeline suite: every document that was accepted arrives, once, whole, and for its owner alone.
//!
//! Each file is about one topic: its table of checks first, the checks below it.

mod authentication;
mod black_box;
mod callback_authentication;
mod callback_delivery;
mod callback_format;
mod confidentiality;
mod configuration_variants;
mod content_integrity;
mod crash_recovery;
mod database_roles;
mod deletion;
mod document_formats;
mod duplicates;
mod happy_path;
mod invariants;
mod job_history;
mod job_status;
mod jobs;
mod limits;
mod liveness;
mod malformed_requests;
mod permanent_provider_errors;
mod queue;
mod readiness;
mod registration;
mod retries;
mod retrieval;
mod reupload;
mod routes;
mod row_security;
mod self_reporting;
mod shapes;
mod signed_urls;
mod startup;
mod tenant_isolation;
mod text_fidelity;
mod timestamps;
mod transient_provider_errors;
mod undocumented_routes;

use cutover_harness::prelude::*;

/// The suite: the tables of all its topics.
pub(crate) fn suite() -> Suite {
    let tables = [
        callback_delivery::table(),
        text_fidelity::table(),
        reupload::table(),
        retries::table(),
        job_history::table(),
        timestamps::table(),
        database_roles::table(),
        row_security::table(),
        configuration_variants::table(),
        happy_path::table(),
        callback_format::table(),
        callback_authentication::table(),
        transient_provider_errors::table(),
        permanent_provider_errors::table(),
        document_formats::table(),
        retrieval::table(),
        registration::table(),
        signed_urls::table(),
        content_integrity::table(),
        black_box::table(),
        duplicates::table(),
        tenant_isolation::table(),
        limits::table(),
        jobs::table(),
        job_status::table(),
        shapes::table(),
        deletion::table(),
        authentication::table(),
        undocumented_routes::table(),
        routes::table(),
        malformed_requests::table(),
        queue::table(),
        crash_recovery::table(),
        self_reporting::table(),
        liveness::table(),
        readiness::table(),
        startup::table(),
        confidentiality::table(),
        invariants::table(),
    ];
    Suite::new(
        "pipeline",
        "every stage does its work, once, completely",
        tables.into_iter().flatten(),
    )
}
