//! The checks of this suite that need no completed document, or none at all.

/// They are tried even if no document becomes complete. Every other check relies on that.
pub(crate) const WITHOUT_DOCUMENTS: &[&str] = &[
    "the_database_keeps_users_apart",
    "the_services_connect_without_special_rights",
    "a_callback_for_an_unknown_job_is_refused",
    "a_bad_token_is_refused_everywhere",
    "a_token_expires_on_time",
    "a_valid_token_opens_every_route",
    "undocumented_routes_are_closed",
    "a_malformed_request_breaks_nothing",
    "probes_are_not_cached_and_tell_no_secret",
    "a_forged_token_opens_nothing",
    "no_error_tells_how_the_service_is_built",
    "no_page_for_operators_is_open",
    "every_version_of_a_route_needs_a_token",
    "slow_clients_hold_up_nobody",
];

/// They need documents that are registered, and none that is complete.
pub(crate) const WITH_REGISTRATIONS: &[&str] = &[
    "the_size_limits_hold",
    "the_concurrent_job_limit_holds",
    "uploads_at_once_keep_the_limit",
    "requests_at_one_moment_keep_every_limit",
    "client_headers_change_no_limit",
    "only_agreed_origins_may_read_responses",
    "users_at_once_are_never_mixed_up",
    "nobody_is_answered_from_a_cache_of_another_user",
    "an_idempotency_key_belongs_to_its_user",
    "no_input_becomes_a_part_of_a_statement",
];
