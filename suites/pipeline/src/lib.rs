//! The pipeline suite: every accepted document is processed completely, exactly once, for its owner only.
//!
//! Each file holds one topic: the table of checks first, the checks below it.

mod callbacks;
mod documents;
mod jobs;
mod operations;

use cutover_harness::prelude::*;

/// The suite with the tables of all topics.
pub fn suite() -> Suite {
    let tables = [
        callbacks::callback_delivery::table(),
        documents::text_fidelity::table(),
        documents::reupload::table(),
        jobs::job_history::table(),
        jobs::timestamps::table(),
        operations::configuration_variants::table(),
        documents::happy_path::table(),
        callbacks::callback_format::table(),
        documents::document_formats::table(),
        documents::retrieval::table(),
        documents::registration::table(),
        documents::signed_urls::table(),
        documents::content_integrity::table(),
        operations::black_box::table(),
        documents::duplicates::table(),
        jobs::job_routes::table(),
        jobs::job_status::table(),
        operations::shapes::table(),
        documents::deletion::table(),
        operations::routes::table(),
        jobs::queue::table(),
        jobs::standing::table(),
        operations::self_reporting::table(),
        operations::startup::table(),
        operations::invariants::table(),
    ];
    Suite::new(
        "pipeline",
        "every stage processes each document completely and exactly once",
        tables.into_iter().flatten(),
    )
}
