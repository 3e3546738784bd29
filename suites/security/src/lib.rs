//! The security suite: only a valid token or a valid callback has an effect, and only on its own user's documents.
//!
//! Each file holds one topic: the table of checks first, the checks below it.

mod authentication;
mod callback_authentication;
mod confidentiality;
mod database_roles;
mod limits;
mod limits_at_once;
mod malformed_requests;
mod row_security;
mod schema_constraints;
mod tenant_isolation;
mod undocumented_routes;

use cutover_harness::prelude::*;

/// The suite with the tables of all topics.
pub fn suite() -> Suite {
    let tables = [
        database_roles::table(),
        row_security::table(),
        callback_authentication::table(),
        tenant_isolation::table(),
        limits::table(),
        authentication::table(),
        undocumented_routes::table(),
        malformed_requests::table(),
        confidentiality::table(),
        schema_constraints::table(),
        limits_at_once::table(),
    ];
    Suite::new(
        "security",
        "requests without valid credentials have no effect, and no user can read or change the data of another",
        tables.into_iter().flatten(),
    )
}
