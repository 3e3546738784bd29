//! The failure suite: faults of providers, of the database and of the service's own processes lose no document.
//!
//! Each file holds one topic: the table of checks first, the checks below it.

mod broken_links;
mod connection_loss_at_any_write;
mod crash_recovery;
mod death_at_any_write;
mod fault_requests;
mod flowing;
mod job_rows;
mod leaks;
mod liveness;
mod permanent_provider_errors;
mod process_faults;
mod provider_texts;
mod random_walk;
mod readiness;
mod resource_faults;
mod response_forms;
mod resumption;
mod retries;
mod silent_providers;
mod slow_providers;
mod stopped_documents;
mod transient_provider_errors;
mod version_faults;
mod without_documents;
mod worker_health;

use cutover_harness::prelude::*;

pub use self::random_walk::RANDOM_WALK;
use self::without_documents::WITHOUT_DOCUMENTS;

/// The suite with the tables of all topics.
pub fn suite() -> Suite {
    let tables = [
        retries::table(),
        transient_provider_errors::table(),
        permanent_provider_errors::table(),
        provider_texts::table(),
        crash_recovery::table(),
        silent_providers::table(),
        liveness::table(),
        readiness::table(),
        response_forms::table(),
        death_at_any_write::table(),
        connection_loss_at_any_write::table(),
        resumption::table(),
        worker_health::table(),
        slow_providers::table(),
        broken_links::table(),
        leaks::table(),
        random_walk::table(),
        resource_faults::table(),
        process_faults::table(),
        version_faults::table(),
    ];
    Suite::new(
        "failure",
        "faults lose no document, and the service reports them and recovers",
        tables.into_iter().flatten(),
    )
    .without_documents(WITHOUT_DOCUMENTS)
}
