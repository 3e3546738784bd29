//! Rules of response headers: what browsers and caches may do with a response.

use super::table::rules;

rules! {
    "HDR-01" High [API8] [942] "only agreed origins may read responses"
        checked ["security::only_agreed_origins_may_read_responses"];
    "HDR-02" Low [API8] [693] "responses tell browsers not to guess their type"
        open "the contract does not say which headers of browsers a target sends";
    "HDR-03" Medium [API8] [525] "no shared cache may keep the response to a user"
        checked ["security::nobody_is_answered_from_a_cache_of_another_user",
            "security::probes_are_not_cached_and_tell_no_secret"];
    "HDR-04" Low [API8] [200, 614] "errors have the content type of the contract"
        checked ["security::a_bad_token_is_refused_everywhere", "pipeline::an_unknown_path_is_not_found"];
}
