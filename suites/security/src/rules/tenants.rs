//! Rules of tenant isolation: what a user may see and change of others, which is nothing.

use super::table::rules;

rules! {
    "TEN-01" Critical [API1] [639] "nobody reads the job of another user"
        checked ["pipeline::another_users_id_looks_unknown::job"];
    "TEN-02" Critical [API1] [639] "nobody reads the document of another user"
        checked ["pipeline::another_users_id_looks_unknown::document"];
    "TEN-03" Critical [API1] [639] "no list, filter or search shows what is another user's"
        checked ["pipeline::the_job_list_is_the_callers_own", "security::only_the_token_identifies_the_user",
            "security::no_input_becomes_a_part_of_a_statement"];
    "TEN-04" Critical [API1] [639] "nobody retries the job of another user"
        checked ["pipeline::another_users_id_looks_unknown::retry"];
    "TEN-05" Critical [API1] [639] "nobody deletes the document of another user"
        checked ["pipeline::a_stranger_deletes_nothing", "pipeline::another_users_id_looks_unknown::delete"];
    "TEN-06" Critical [API1] [639] "nobody gets a signed URL for the object of another user"
        checked ["security::a_client_sets_no_field_of_the_service::places",
            "security::nobody_but_the_service_reaches_stored_objects"];
    "TEN-07" Critical [API1] [639] "nobody stores bytes for the upload of another user"
        checked ["security::bytes_are_accepted_at_the_signed_url_only",
            "security::an_upload_token_is_valid_for_its_object"];
    "TEN-08" Critical [API1] [863] "no search finds the text of another user"
        checked ["pipeline::a_document_is_found_by_its_owner_alone"];
    "TEN-09" Critical [API1, API3] [639, 235] "no header, parameter or field names another user"
        checked ["security::only_the_token_identifies_the_user", "security::client_headers_name_no_user",
            "pipeline::a_registration_belongs_to_its_caller"];
    "TEN-10" High [API3] [915] "a client sets no field that the service decides about"
        checked ["security::a_client_sets_no_field_of_the_service"];
    "TEN-11" Medium [API3] [213] "responses have the fields of the contract"
        checked ["pipeline::answers_have_their_shape"];
    "TEN-12" High [API1] [639] "a part is not found below the parent of another user"
        not_applicable "the routes of the contract have one id each";
    "TEN-13" Medium [API1] [20] "an id in another notation opens nothing and breaks nothing"
        checked ["security::no_form_of_an_id_opens_what_is_anothers", "pipeline::a_malformed_id_is_refused"];
    "TEN-14" Medium [API1] [672] "what was deleted is gone, and a refused registration leaves nothing"
        checked ["pipeline::a_deleted_document_is_gone", "pipeline::a_bad_registration_is_refused"];
    "TEN-15" Critical [API1] [639, 203] "the same bytes or the same key of two users give two documents"
        checked ["security::an_idempotency_key_belongs_to_its_user",
            "pipeline::documents_that_resemble_each_other_are_independent", "pipeline::a_known_hash_gives_no_access",
            "security::another_users_failure_leaves_a_document_intact"];
    "TEN-16" Low [API1] [203] "the id of another user looks like one that does not exist"
        checked ["pipeline::another_users_id_looks_unknown"];
    "TEN-17" High [API1] [639] "a request about many ids leaves those of others alone"
        not_applicable "no route of the contract takes more than one id";
    "TEN-18" Critical [API5] [285] "no page for operators is open to users, and no header changes the method"
        checked ["security::no_page_for_operators_is_open", "security::client_headers_replace_no_method_or_path"];
    "TEN-19" High [API8] [524, 525] "no cache answers one user with the data of another"
        checked ["security::nobody_is_answered_from_a_cache_of_another_user"];
    "TEN-20" Critical [API1] [488, 362] "requests of several users at once are never mixed up"
        checked ["security::users_at_once_are_never_mixed_up"];
    "TEN-21" High [API1] [639] "nobody subscribes to the events of another user"
        not_applicable "the contract has no subscriptions";
}
