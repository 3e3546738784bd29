//! The checks of this suite that need no completed document.

/// They are tried even if no document becomes complete. Every other check relies on that.
pub(crate) const WITHOUT_DOCUMENTS: &[&str] = &[
    "the_database_keeps_users_apart",
    "the_services_connect_without_special_rights",
    "a_callback_for_an_unknown_job_is_refused",
    "the_size_limits_hold",
    "the_concurrent_job_limit_holds",
    "uploads_at_once_keep_the_limit",
    "requests_at_one_moment_keep_every_limit",
    "client_headers_change_no_limit",
    "only_agreed_origins_may_read_responses",
    "a_bad_token_is_refused_everywhere",
    "a_token_expires_on_time",
    "a_valid_token_opens_every_route",
    "undocumented_routes_are_closed",
    "a_malformed_request_breaks_nothing",
    "probes_are_not_cached_and_tell_no_secret",
];
