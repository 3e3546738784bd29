//! The pipeline suite: every document that was accepted arrives, once, whole, and for its owner alone.
//!
//! Each file is about one topic: its table of checks first, the checks below it.

mod access;
mod address;
mod again;
mod awaiting;
mod back_doors;
mod callbacks;
mod crashes;
mod deletion;
mod deliveries;
mod deployments;
mod discretion;
mod documents;
mod ending;
mod everything;
mod failures;
mod forgeries;
mod jobs;
mod limits;
mod liveness;
mod oddities;
mod outages;
mod outside;
mod possession;
mod queue;
mod readiness;
mod registration;
mod retries;
mod retrieval;
mod roles;
mod routes;
mod row_security;
mod shapes;
mod startup;
mod status;
mod texts;
mod times;
mod traces;
mod truth;
mod upload;
mod users;
mod workflow;

use cutover_harness::prelude::*;

/// The suite: the tables of all its topics.
pub(crate) fn suite() -> Suite {
    let tables = [
        deliveries::table(),
        texts::table(),
        again::table(),
        retries::table(),
        traces::table(),
        times::table(),
        roles::table(),
        row_security::table(),
        deployments::table(),
        workflow::table(),
        callbacks::table(),
        forgeries::table(),
        outages::table(),
        failures::table(),
        documents::table(),
        retrieval::table(),
        registration::table(),
        address::table(),
        possession::table(),
        outside::table(),
        upload::table(),
        users::table(),
        limits::table(),
        jobs::table(),
        status::table(),
        shapes::table(),
        deletion::table(),
        access::table(),
        back_doors::table(),
        routes::table(),
        oddities::table(),
        queue::table(),
        crashes::table(),
        truth::table(),
        liveness::table(),
        readiness::table(),
        startup::table(),
        discretion::table(),
        everything::table(),
    ];
    Suite::new(
        "pipeline",
        "every stage does its work, once, completely",
        tables.into_iter().flatten(),
    )
}
