//! Rules of response headers: what browsers and caches may do with a response.

use super::table::rules;

rules! {
    "HDR-01" High [API8] [942] ["3.4.2"] "only agreed origins may read responses"
        remedy "Compare `Origin` with a list of whole origins. Never reflect it, and never allow `null` together with credentials."
        checked ["security::only_agreed_origins_may_read_responses"];
    "HDR-02" Low [API8] [693] ["3.4.4", "3.4.5", "3.4.6"] "responses tell browsers not to guess their type"
        remedy "Send `X-Content-Type-Options: nosniff`, a `Referrer-Policy` and a `Content-Security-Policy` with every response, also with errors."
        open "the contract does not say which headers of browsers a target sends";
    "HDR-03" Medium [API8] [525] ["14.2.2", "14.3.2"] "no shared cache may keep the response to a user"
        remedy "Send `Cache-Control: no-store` with each response that depends on a token or shows a state."
        checked ["security::nobody_is_answered_from_a_cache_of_another_user",
            "security::probes_are_not_cached_and_tell_no_secret"];
    "HDR-04" Low [API8] [200, 614] ["4.1.1"] "errors have the content type of the contract"
        remedy "Let one error handler write all errors, with the content type of the contract. Remove headers that name versions."
        checked ["security::a_bad_token_is_refused_everywhere", "pipeline::an_unknown_path_is_not_found"];
}
