//! Rules of input: what a client sends is data, and stays data.

use super::table::rules;

rules! {
    "INP-01" Critical [API8] [89] ["1.2.4"] "no input becomes a part of a statement"
        remedy "Pass every input as a parameter of the statement. Take names of columns and directions from a fixed list."
        checked ["security::no_input_becomes_a_part_of_a_statement", "pipeline::a_hostile_query_is_plain_text"];
    "INP-02" Medium [API8] [79] ["1.2.1", "1.2.3"] "file names are returned as data"
        remedy "Return file names as JSON strings with the type application/json. Encode them in every page that shows them."
        checked ["pipeline::every_file_name_is_kept_from_upload_to_duplicate"];
    "INP-03" High [API1] [22] ["5.3.2"] "a file name decides about no path"
        remedy "Build the storage path from ids, and keep the file name as a label in the database only."
        checked ["security::no_file_name_reaches_a_path", "pipeline::a_file_name_is_kept::a_path",
            "pipeline::ids_and_paths_are_deterministic"];
    "INP-04" High [API8] [113, 93] ["1.3.3", "5.4.2"] "control characters in a file name are removed, and break nothing"
        remedy "Remove control characters from a file name before it is stored, or refuse it. Encode it by RFC 6266 in headers."
        checked ["security::no_file_name_reaches_a_path::with_control_characters",
            "pipeline::a_file_name_is_kept::control_characters",
            "pipeline::a_bad_registration_is_refused::a_name_of_control_characters"];
    "INP-05" Low [API8] [176, 451] ["2.2.1"] "unusual characters and lengths of names are kept or refused"
        remedy "Normalise file names to NFC, and limit their length. Refuse or keep unusual characters, but never fail on them."
        checked ["security::no_file_name_reaches_a_path", "security::names_that_mean_the_same_stay_apart",
            "pipeline::a_document_of_any_name_arrives", "pipeline::a_bad_registration_is_refused::a_name_too_long"];
    "INP-06" Medium [API8] [20] ["2.2.1", "15.3.5"] "malformed JSON, wrong types and huge values break nothing"
        remedy "Parse the body into a strict type with limits of depth and size. Answer 4xx for everything else."
        checked ["security::a_malformed_request_breaks_nothing", "security::no_error_tells_how_the_service_is_built"];
    "INP-07" Critical [API7] [918] ["1.3.6", "13.2.4"] "no address in a request is fetched"
        remedy "Fetch no address that a client sends. Where one is needed, compare the resolved address with a list of allowed hosts, also after redirects."
        checked ["security::no_address_from_outside_is_fetched", "security::client_headers_decide_about_no_address"];
    "INP-08" Medium [API8] [601, 1236, 117] ["16.4.1"] "no input adds a line to a log"
        remedy "Log structured records, in which line breaks of an input are escaped."
        checked ["security::nothing_that_a_user_gives_is_logged"];
    "INP-09" Low [API8] [650] ["4.1.4", "13.4.4"] "other methods are refused and named"
        remedy "Answer 405 with the header `Allow` for methods that a route does not have. Switch TRACE off."
        checked ["pipeline::a_wrong_method_lists_the_allowed_ones", "security::a_malformed_request_breaks_nothing::unknown_method"];
}
