//! The security suite: only a valid token or a valid callback has an effect, and only on its own user's documents.
//!
//! Each file holds one topic: the table of checks first, the checks below it.

mod authentication;
mod callback_authentication;
mod client_headers;
mod confidentiality;
mod cross_origin;
mod database_roles;
mod error_texts;
mod exposed_paths;
mod forged_tokens;
mod guarded;
mod hostile_files;
mod hostile_names;
mod id_forms;
mod identity_headers;
mod injection;
mod instructions;
mod limits;
mod limits_at_once;
mod log_privacy;
mod malformed_requests;
mod mixed_users;
mod outside_addresses;
mod policies;
mod row_security;
mod rules;
mod schema_constraints;
mod server_fields;
mod slow_clients;
mod storage_access;
mod tenant_isolation;
mod token_claims;
mod two_users;
mod undocumented_routes;
mod watched_address;
mod without_documents;
mod wrong_requests;

use cutover_harness::prelude::*;

use self::without_documents::{WITH_REGISTRATIONS, WITHOUT_DOCUMENTS};

/// The suite with the tables of all topics.
pub fn suite() -> Suite {
    let tables = [
        two_users::table(),
        database_roles::table(),
        row_security::table(),
        callback_authentication::table(),
        tenant_isolation::table(),
        limits::table(),
        authentication::table(),
        undocumented_routes::table(),
        malformed_requests::table(),
        client_headers::table(),
        identity_headers::table(),
        cross_origin::table(),
        log_privacy::table(),
        confidentiality::table(),
        schema_constraints::table(),
        limits_at_once::table(),
        forged_tokens::table(),
        token_claims::table(),
        id_forms::table(),
        mixed_users::table(),
        server_fields::table(),
        injection::table(),
        error_texts::table(),
        exposed_paths::table(),
        outside_addresses::table(),
        storage_access::table(),
        slow_clients::table(),
        hostile_files::table(),
        hostile_names::table(),
        instructions::table(),
    ];
    Suite::new(
        "security",
        "requests without valid credentials have no effect, and no user can read or change the data of another",
        tables.into_iter().flatten(),
    )
    .without_documents(WITHOUT_DOCUMENTS)
    .with_registrations(WITH_REGISTRATIONS)
    .proving(rules::RULES)
}
