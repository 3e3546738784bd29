//! Rules of secrets and of information: what a service tells about itself and its users.

use super::table::rules;

rules! {
    "SEC-01" Medium [API8] [209] "no error shows a stack trace, a statement or a path"
        checked ["security::no_error_tells_how_the_service_is_built"];
    "SEC-02" Critical [API8] [200] "no response contains a secret"
        checked ["security::no_response_contains_a_secret", "security::probes_are_not_cached_and_tell_no_secret",
            "security::an_error_tells_no_key"];
    "SEC-03" High [API8] [532] "no log contains a secret or what a user gives"
        checked ["security::nothing_confidential_is_logged", "security::nothing_that_a_user_gives_is_logged"];
    "SEC-04" Critical [API8] [540] "no page contains the secret key of the project"
        not_applicable "the pipeline has no pages for browsers";
    "SEC-05" High [API8, API9] [489, 538] "no page for developers or operators and no file of the service is open"
        checked ["security::no_page_for_operators_is_open", "security::undocumented_routes_are_closed"];
    "SEC-06" Low [API9] [1059] "the description of the API is public only where that is intended"
        open "the contract does not say whether the description of the API is public";
    "SEC-07" Medium [API9] [1059] "every version of a route needs a token"
        checked ["security::every_version_of_a_route_needs_a_token"];
    "SEC-08" Low [API8] [200] "the health routes name no user and no secret"
        checked ["security::probes_name_no_user", "security::probes_are_not_cached_and_tell_no_secret"];
    "SEC-09" Low [API8] [209] "the data API of the project gives no hints about its schema"
        open "a target with a data API (REST or GraphQL) in front of its tables";
}
