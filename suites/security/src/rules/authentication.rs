//! Rules of authentication: who may use the API at all.

use super::table::rules;

rules! {
    "AUTH-01" Critical [API2] [306] "a request without a token is refused on every route"
        checked ["security::a_bad_token_is_refused_everywhere::none", "smoke::nobody_gets_in_without_a_token",
            "security::a_valid_token_opens_every_route"];
    "AUTH-02" High [API2] [287] "an empty token, garbage and another scheme are refused, and break nothing"
        checked ["security::a_bad_token_is_refused_everywhere"];
    "AUTH-03" Critical [API2] [347] "a token without an algorithm or without a signature is refused"
        checked ["security::a_forged_token_opens_nothing::without_an_algorithm",
            "security::a_forged_token_opens_nothing::without_a_signature"];
    "AUTH-04" Critical [API2] [347] "a token with changed claims or a changed signature is refused"
        checked ["security::a_forged_token_opens_nothing::with_a_changed_claim",
            "security::a_forged_token_opens_nothing::with_a_changed_bit_of_its_signature",
            "security::a_forged_token_opens_nothing::with_a_part_of_its_signature"];
    "AUTH-05" Critical [API2] [327, 347] "a public key is not accepted as the secret of a token"
        open "a target with asymmetric keys: the contract has no address of its public keys";
    "AUTH-06" Critical [API2] [1392, 521] "tokens are not signed with a published or guessable secret"
        checked ["security::a_forged_token_opens_nothing::signed_with_a_key_that_everybody_can_guess",
            "security::a_bad_token_is_refused_everywhere::one_signed_with_a_published_secret"];
    "AUTH-07" High [API2] [613] "a token is refused after its expiry, and without one"
        checked ["security::a_bad_token_is_refused_everywhere::an_expired_one",
            "security::a_bad_token_is_refused_everywhere::one_without_an_expiry", "security::a_token_expires_on_time"];
    "AUTH-08" Medium [API2] [345] "a token is refused before its time"
        checked ["security::a_bad_token_is_refused_everywhere::one_not_yet_valid"];
    "AUTH-09" High [API2] [345] "a token by another issuer or for another audience is refused"
        checked ["security::a_bad_token_is_refused_everywhere::one_by_another_issuer",
            "security::a_bad_token_is_refused_everywhere::one_for_another_audience"];
    "AUTH-10" High [API2] [863] "the public key of the project is no token of a user"
        checked ["security::a_bad_token_is_refused_everywhere::the_anon_key"];
    "AUTH-11" High [API5] [269] "the secret key of the project is no token of a user"
        checked ["security::a_bad_token_is_refused_everywhere::the_service_role_key"];
    "AUTH-12" Critical [API3, API5] [269] "claims that users set themselves give no rights"
        checked ["security::no_claim_but_the_subject_names_the_user"];
    "AUTH-13" Critical [API1] [863] "a valid token of one user opens nothing of another"
        checked ["security::only_the_token_identifies_the_user", "pipeline::another_users_id_looks_unknown"];
    "AUTH-14" High [API2] [22, 89] "the key id of a token is neither a path nor a part of a statement"
        checked ["security::a_forged_token_opens_nothing::signed_with_a_key_that_its_id_names"];
    "AUTH-15" Critical [API2, API7] [918, 347] "a token does not choose its own key, and no address in it is fetched"
        checked ["security::a_forged_token_opens_nothing::signed_with_a_key_that_it_contains",
            "security::no_address_from_outside_is_fetched::in_a_token"];
    "AUTH-16" Medium [API2] [613, 294] "a token is refused after its user has logged out or was removed"
        open "logging out and removing users through the identity provider";
    "AUTH-17" Medium [API2, API4] [324, 400] "a retired key is refused, and unknown key ids cause no flood of requests"
        open "a target with asymmetric keys: the contract has no address of its public keys";
    "AUTH-18" Medium [API2] [598] "a token in a query string or a cookie is refused"
        checked ["security::a_bad_token_is_refused_everywhere::one_in_the_query_string",
            "security::a_bad_token_is_refused_everywhere::one_in_a_cookie"];
    "AUTH-19" Medium [API2] [307] "repeated wrong passwords are slowed down"
        not_applicable "the pipeline has no login of its own; users log in at the identity provider";
}
