//! The checks of this suite that need no completed document.

/// They are tried even if no document becomes complete. Every other check relies on that.
pub(crate) const WITHOUT_DOCUMENTS: &[&str] = &[
    "without_its_identity_provider_a_service_is_unavailable",
    "an_invalid_search_breaks_nothing",
    "a_bad_registration_is_refused",
    "a_file_name_is_kept",
    "a_registration_belongs_to_its_caller",
    "an_accepted_document_has_its_rows",
    "the_upload_url_points_to_the_storage",
    "a_malformed_id_is_refused",
    "an_invalid_list_query_is_refused",
    "answers_have_their_shape::upload",
    "answers_have_their_shape::limits",
    "every_required_route_exists",
    "an_unknown_path_is_not_found",
    "a_wrong_method_lists_the_allowed_ones",
    "an_error_carries_the_id_of_its_request",
    "an_idle_worker_polls_at_the_interval",
    "api_and_worker_are_of_one_build",
    "a_process_refuses_to_start_unconfigured",
    "a_number_is_read_as_meant_or_refused",
    "a_word_or_an_address_is_read_as_meant_or_refused",
    "a_worker_refuses_what_it_cannot_use",
    "a_query_of_any_text_reaches_the_embedder",
];
