//! The pipeline suite: every accepted document is processed completely, exactly once, for its owner only.
//!
//! Each file holds one topic: the table of checks first, the checks below it.

mod callbacks;
mod documents;
mod jobs;
mod operations;
mod without_documents;

use cutover_harness::prelude::*;

use self::without_documents::WITHOUT_DOCUMENTS;

/// The suite with the tables of all topics.
pub fn suite() -> Suite {
    let tables = [
        documents::golden_path::table(),
        callbacks::callback_delivery::table(),
        callbacks::stale_reports::table(),
        documents::text_fidelity::table(),
        documents::token_limits::table(),
        documents::texts_as_they_are::table(),
        documents::file_names::table(),
        documents::repetition::table(),
        documents::resemblance::table(),
        documents::pdf_structures::table(),
        callbacks::payload_combinations::table(),
        jobs::retry_combinations::table(),
        jobs::histories::table(),
        jobs::simultaneous_requests::table(),
        documents::reupload::table(),
        jobs::job_history::table(),
        jobs::timestamps::table(),
        operations::configuration_variants::table(),
        operations::embedding_models::table(),
        documents::happy_path::table(),
        callbacks::callback_format::table(),
        callbacks::callback_forms::table(),
        callbacks::half_surrogates::table(),
        callbacks::pages::table(),
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
        jobs::written_times::table(),
        jobs::waiting_costs::table(),
        jobs::fairness::table(),
        documents::invention::table(),
        operations::configuration_spellings::table(),
        operations::request_costs::table(),
        operations::invariants::table(),
    ];
    Suite::new(
        "pipeline",
        "every stage processes each document completely and exactly once",
        tables.into_iter().flatten(),
    )
    .without_documents(WITHOUT_DOCUMENTS)
}
