//! Rules of secrets and of information: what a service tells about itself and its users.

use super::table::rules;

rules! {
    "SEC-01" Medium [API8] [209] ["16.5.1"] "no error shows a stack trace, a statement or a path"
        remedy "Answer unexpected errors with a fixed text and an id. Log the details under that id."
        checked ["security::no_error_tells_how_the_service_is_built"];
    "SEC-02" Critical [API8] [200] ["15.3.1", "16.5.1"] "no response contains a secret"
        remedy "Remove the secret from the response, and rotate it. Keep secrets in a type that cannot be serialised."
        checked ["security::no_response_contains_a_secret", "security::probes_are_not_cached_and_tell_no_secret",
            "security::an_error_tells_no_key"];
    "SEC-03" High [API8] [532] ["16.2.5"] "no log contains a secret or what a user gives"
        remedy "Log ids in place of contents, tokens and addresses. Filter known secrets in the log writer, and rotate those that were logged."
        checked ["security::nothing_confidential_is_logged", "security::nothing_that_a_user_gives_is_logged"];
    "SEC-04" Critical [API8] [540] ["13.3.1"] "no page contains the secret key of the project"
        remedy "Use only the public key in pages. Rotate the secret key, because every visitor has read it."
        not_applicable "the pipeline has no pages for browsers";
    "SEC-05" High [API8, API9] [489, 538] ["13.4.1", "13.4.2", "13.4.5"] "no page for developers or operators and no file of the service is open"
        remedy "Serve metrics and pages of operators on another port. Deploy without debug routes, .env and .git."
        checked ["security::no_page_for_operators_is_open", "security::undocumented_routes_are_closed"];
    "SEC-06" Low [API9] [1059] ["4.3.2", "13.4.5"] "the description of the API is public only where that is intended"
        remedy "Switch off the description of the API and introspection in production, or state that they are public."
        open "the contract does not say whether the description of the API is public";
    "SEC-07" Medium [API9] [1059] ["8.2.1", "15.2.3"] "every version of a route needs a token"
        remedy "Remove old versions of the API, or put them behind the same check of tokens."
        checked ["security::every_version_of_a_route_needs_a_token"];
    "SEC-08" Low [API8] [200] ["13.4.5", "13.4.6"] "the health routes name no user and no secret"
        remedy "Answer health requests with a status only. Show details to operators."
        checked ["security::probes_name_no_user", "security::probes_are_not_cached_and_tell_no_secret"];
    "SEC-09" Low [API8] [209] ["16.5.1"] "the data API of the project gives no hints about its schema"
        remedy "Close the data API to anonymous requests, or hide the hints of its errors at the gateway."
        open "a target with a data API (REST or GraphQL) in front of its tables";
}
