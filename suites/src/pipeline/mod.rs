//! The pipeline suite: every document that was accepted arrives, once, whole, and for its owner alone.
//!
//! Each file is about one topic: its table of checks first, the checks below it.

mod callbacks;
mod deliveries;
mod documents;
mod ending;
mod failures;
mod forgeries;
mod limits;
mod outages;
mod queue;
mod reading;
mod retrieval;
mod startup;
mod status;
mod truth;
mod upload;
mod workflow;

use cutover_harness::prelude::*;

/// The suite: the tables of all its topics.
pub(crate) fn suite() -> Suite {
    let tables = [
        deliveries::table(),
        workflow::table(),
        callbacks::table(),
        forgeries::table(),
        outages::table(),
        failures::table(),
        documents::table(),
        retrieval::table(),
        upload::table(),
        limits::table(),
        status::table(),
        queue::table(),
        truth::table(),
        startup::table(),
    ];
    Suite::new(
        "pipeline",
        "every stage does its work, once, completely",
        tables.into_iter().flatten(),
    )
}
