//! Rules of input: what a client sends is data, and stays data.

use super::table::rules;

rules! {
    "INP-01" Critical [API8] [89] "no input becomes a part of a statement"
        checked ["security::no_input_becomes_a_part_of_a_statement", "pipeline::a_hostile_query_is_plain_text"];
    "INP-02" Medium [API8] [79] "file names are returned as data"
        checked ["pipeline::every_file_name_is_kept_from_upload_to_duplicate"];
    "INP-03" High [API1] [22] "a file name decides about no path"
        checked ["security::no_file_name_reaches_a_path", "pipeline::a_file_name_is_kept::a_path",
            "pipeline::ids_and_paths_are_deterministic"];
    "INP-04" High [API8] [113, 93] "control characters in a file name are removed, and break nothing"
        checked ["security::no_file_name_reaches_a_path::with_control_characters",
            "pipeline::a_file_name_is_kept::control_characters",
            "pipeline::a_bad_registration_is_refused::a_name_of_control_characters"];
    "INP-05" Low [API8] [176, 451] "unusual characters and lengths of names are kept or refused"
        checked ["security::no_file_name_reaches_a_path", "security::names_that_mean_the_same_stay_apart",
            "pipeline::a_document_of_any_name_arrives", "pipeline::a_bad_registration_is_refused::a_name_too_long"];
    "INP-06" Medium [API8] [20] "malformed JSON, wrong types and huge values break nothing"
        checked ["security::a_malformed_request_breaks_nothing", "security::no_error_tells_how_the_service_is_built"];
    "INP-07" Critical [API7] [918] "no address in a request is fetched"
        checked ["security::no_address_from_outside_is_fetched", "security::client_headers_decide_about_no_address"];
    "INP-08" Medium [API8] [601, 1236, 117] "no input adds a line to a log"
        checked ["security::nothing_that_a_user_gives_is_logged"];
    "INP-09" Low [API8] [650] "other methods are refused and named"
        checked ["pipeline::a_wrong_method_lists_the_allowed_ones", "security::a_malformed_request_breaks_nothing::unknown_method"];
}
