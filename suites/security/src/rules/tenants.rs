//! Rules of tenant isolation: what a user may see and change of others, which is nothing.

use super::table::rules;

rules! {
    isolation;
    "TEN-01" Critical [API1] [639] ["8.2.2", "8.4.1"] "nobody reads the job of another user"
        remedy "Add the user of the token to the condition of the query that reads a job. Answer 404 if no row is found."
        checked ["pipeline::another_users_id_looks_unknown::job"];
    "TEN-02" Critical [API1] [639] ["8.2.2", "8.4.1"] "nobody reads the document of another user"
        remedy "Add the user of the token to the condition of every query for documents, metadata and chunks."
        checked ["pipeline::another_users_id_looks_unknown::document"];
    "TEN-03" Critical [API1] [639] ["8.2.2", "8.4.1"] "no list, filter or search shows what is another user's"
        remedy "Apply the filter for the user in the query itself, before any filter, order or cursor of the client."
        checked ["pipeline::the_job_list_is_the_callers_own", "security::only_the_token_identifies_the_user",
            "security::no_input_becomes_a_part_of_a_statement"];
    "TEN-04" Critical [API1] [639] ["8.2.2", "8.4.1"] "nobody retries the job of another user"
        remedy "Check the owner of the job in the statement that changes it, and not in a query before it."
        checked ["pipeline::another_users_id_looks_unknown::retry"];
    "TEN-05" Critical [API1] [639] ["8.2.2", "8.4.1"] "nobody deletes the document of another user"
        remedy "Delete rows and objects only where the owner is the user of the token. Answer 404 if no row was deleted."
        checked ["pipeline::a_stranger_deletes_nothing", "pipeline::another_users_id_looks_unknown::delete"];
    "TEN-06" Critical [API1] [639] ["8.2.2", "8.4.1"] "nobody gets a signed URL for the object of another user"
        remedy "Build the object path on the server from the user of the token, and sign no path that a client sends."
        checked ["security::a_client_sets_no_field_of_the_service::places",
            "security::nobody_but_the_service_reaches_stored_objects"];
    "TEN-07" Critical [API1] [639] ["8.2.2", "8.4.1"] "nobody stores bytes for the upload of another user"
        remedy "Accept bytes only at the signed URL of the upload. Check that the upload belongs to the caller before it is completed."
        checked ["security::bytes_are_accepted_at_the_signed_url_only",
            "security::an_upload_token_is_valid_for_its_object"];
    "TEN-08" Critical [API1] [863] ["8.2.2", "8.4.1"] "no search finds the text of another user"
        remedy "Make the user a required argument of the vector search, and refuse NULL. Filter before the nearest neighbours are limited."
        checked ["pipeline::a_document_is_found_by_its_owner_alone"];
    "TEN-09" Critical [API1, API3] [639, 235] ["4.1.3", "8.3.1", "15.3.7"] "no header, parameter or field names another user"
        remedy "Take the user from the verified token only. Ignore or refuse headers, parameters and fields that name a user or a tenant."
        checked ["security::only_the_token_identifies_the_user", "security::client_headers_name_no_user",
            "pipeline::a_registration_belongs_to_its_caller"];
    "TEN-10" High [API3] [915] ["8.2.3", "15.3.3"] "a client sets no field that the service decides about"
        remedy "Read registrations into a type that has only the fields of a client, and refuse unknown fields."
        checked ["security::a_client_sets_no_field_of_the_service"];
    "TEN-11" Medium [API3] [213] ["15.3.1"] "responses have the fields of the contract"
        remedy "Serialise responses from a type with the fields of the contract, and never from the row of a table."
        checked ["pipeline::answers_have_their_shape"];
    "TEN-12" High [API1] [639] ["8.2.2"] "a part is not found below the parent of another user"
        remedy "Look up a part together with its parent and its owner in one query."
        not_applicable "the routes of the contract have one id each";
    "TEN-13" Medium [API1] [20] ["1.1.1", "2.2.1"] "an id in another notation opens nothing and breaks nothing"
        remedy "Parse ids into their type before use, and answer 4xx if that fails. Decode a path once."
        checked ["security::no_form_of_an_id_opens_what_is_anothers", "pipeline::a_malformed_id_is_refused"];
    "TEN-14" Medium [API1] [672] ["2.3.3", "14.2.7"] "what was deleted is gone, and a refused registration leaves nothing"
        remedy "Delete rows, objects and vectors of a document together, and retry until all are gone. Write nothing before a registration is valid."
        checked ["pipeline::a_deleted_document_is_gone", "pipeline::a_bad_registration_is_refused"];
    "TEN-15" Critical [API1] [639, 203] ["8.4.1"] "the same bytes or the same key of two users give two documents"
        remedy "Make the user a part of every unique key: of hashes, of idempotency keys and of cache keys."
        checked ["security::an_idempotency_key_belongs_to_its_user",
            "pipeline::documents_that_resemble_each_other_are_independent", "pipeline::a_known_hash_gives_no_access",
            "security::another_users_failure_leaves_a_document_intact"];
    "TEN-16" Low [API1] [203] [] "the id of another user looks like one that does not exist"
        remedy "Answer a foreign id and an unknown id by the same code, with the same status and body."
        checked ["pipeline::another_users_id_looks_unknown"];
    "TEN-17" High [API1] [639] ["8.2.2"] "a request about many ids leaves those of others alone"
        remedy "Check the owner of each id of the list, and change nothing if one is not the caller's."
        not_applicable "no route of the contract takes more than one id";
    "TEN-18" Critical [API5] [285] ["4.1.4", "8.2.1"] "no page for operators is open to users, and no header changes the method"
        remedy "Move the pages of operators to an address that is not public, or require a role of operators. Ignore headers that override the method or the path."
        checked ["security::no_page_for_operators_is_open", "security::client_headers_replace_no_method_or_path"];
    "TEN-19" High [API8] [524, 525] ["14.2.2", "14.2.5"] "no cache answers one user with the data of another"
        remedy "Send `Cache-Control: private, no-store` with every response to a user. Exclude these routes from shared caches."
        checked ["security::nobody_is_answered_from_a_cache_of_another_user"];
    "TEN-20" Critical [API1] [488, 362] ["8.4.1", "15.4.1"] "requests of several users at once are never mixed up"
        remedy "Keep the user of a request in its own context, and set database claims with SET LOCAL inside the transaction."
        checked ["security::users_at_once_are_never_mixed_up"];
    "TEN-21" High [API1] [639] ["8.2.2"] "nobody subscribes to the events of another user"
        remedy "Authorise each subscription by the owner of its topic, and again after the token was refreshed."
        not_applicable "the contract has no subscriptions";
}
