//! Rules of authentication: who may use the API at all.

use super::table::rules;

rules! {
    "AUTH-01" Critical [API2] [306] ["8.2.1"] "a request without a token is refused on every route"
        remedy "Verify the token in one layer in front of all routes. List the public routes by name."
        checked ["security::a_bad_token_is_refused_everywhere::none", "smoke::nobody_gets_in_without_a_token",
            "security::a_valid_token_opens_every_route"];
    "AUTH-02" High [API2] [287] ["6.8.2", "16.5.3"] "an empty token, garbage and another scheme are refused, and break nothing"
        remedy "Refuse every request whose header is not exactly one valid bearer token. Answer 401 also where parsing the header fails."
        checked ["security::a_bad_token_is_refused_everywhere"];
    "AUTH-03" Critical [API2] [347] ["6.8.2", "9.1.2"] "a token without an algorithm or without a signature is refused"
        remedy "Pass the library a fixed list of allowed algorithms, and never the one that the token names. Refuse a token without a signature."
        checked ["security::a_forged_token_opens_nothing::without_an_algorithm",
            "security::a_forged_token_opens_nothing::without_a_signature"];
    "AUTH-04" Critical [API2] [347] ["9.1.1"] "a token with changed claims or a changed signature is refused"
        remedy "Verify the signature of the whole token before any claim is read. Compare all bytes of the signature."
        checked ["security::a_forged_token_opens_nothing::with_a_changed_claim",
            "security::a_forged_token_opens_nothing::with_a_changed_bit_of_its_signature",
            "security::a_forged_token_opens_nothing::with_a_part_of_its_signature"];
    "AUTH-05" Critical [API2] [327, 347] ["9.1.2"] "a public key is not accepted as the secret of a token"
        remedy "Bind each key to one algorithm. Accept no HMAC algorithm where the key is public."
        open "a target with asymmetric keys: the contract has no address of its public keys";
    "AUTH-06" Critical [API2] [1392, 521] ["11.5.1", "13.3.1"] "tokens are not signed with a published or guessable secret"
        remedy "Replace the signing secret by at least 256 random bits from a secret store. Refuse to start with a published default."
        checked ["security::a_forged_token_opens_nothing::signed_with_a_key_that_everybody_can_guess",
            "security::a_bad_token_is_refused_everywhere::one_signed_with_a_published_secret"];
    "AUTH-07" High [API2] [613] ["9.2.1"] "a token is refused after its expiry, and without one"
        remedy "Require the claim `exp`, and refuse the token after it with a leeway of at most a minute."
        checked ["security::a_bad_token_is_refused_everywhere::an_expired_one",
            "security::a_bad_token_is_refused_everywhere::one_without_an_expiry", "security::a_token_expires_on_time"];
    "AUTH-08" Medium [API2] [345] ["9.2.1"] "a token is refused before its time"
        remedy "Check the claims `nbf` and `iat`, and refuse a token whose time has not come."
        checked ["security::a_bad_token_is_refused_everywhere::one_not_yet_valid"];
    "AUTH-09" High [API2] [345] ["9.1.3", "9.2.3"] "a token by another issuer or for another audience is refused"
        remedy "Compare the claims `iss` and `aud` with the configured values, and refuse a token without them."
        checked ["security::a_bad_token_is_refused_everywhere::one_by_another_issuer",
            "security::a_bad_token_is_refused_everywhere::one_for_another_audience"];
    "AUTH-10" High [API2] [863] ["7.2.2", "9.2.2"] "the public key of the project is no token of a user"
        remedy "Accept only tokens of the role `authenticated` on routes of users. The public key of the project only names the project."
        checked ["security::a_bad_token_is_refused_everywhere::the_anon_key"];
    "AUTH-11" High [API5] [269] ["7.2.2", "9.2.2"] "the secret key of the project is no token of a user"
        remedy "Refuse the role `service_role` and secret keys on every route of users. Rotate a key that a client has sent."
        checked ["security::a_bad_token_is_refused_everywhere::the_service_role_key"];
    "AUTH-12" Critical [API3, API5] [269] ["8.3.1"] "claims that users set themselves give no rights"
        remedy "Take roles and tenants from claims that only the server sets, such as `app_metadata`, or from the database."
        checked ["security::no_claim_but_the_subject_names_the_user"];
    "AUTH-13" Critical [API1] [863] ["8.2.2", "8.4.1"] "a valid token of one user opens nothing of another"
        remedy "Compare the owner of each object with the subject of the token in the query that reads it."
        checked ["security::only_the_token_identifies_the_user", "pipeline::another_users_id_looks_unknown"];
    "AUTH-14" High [API2] [22, 89] ["1.2.4", "5.3.2", "9.1.3"] "the key id of a token is neither a path nor a part of a statement"
        remedy "Look up `kid` in a fixed table of keys. Never make a path or a statement of it."
        checked ["security::a_forged_token_opens_nothing::signed_with_a_key_that_its_id_names"];
    "AUTH-15" Critical [API2, API7] [918, 347] ["1.3.6", "9.1.3"] "a token does not choose its own key, and no address in it is fetched"
        remedy "Ignore `jku`, `x5u` and `jwk` in a token. Take keys only from the configured address of the issuer."
        checked ["security::a_forged_token_opens_nothing::signed_with_a_key_that_it_contains",
            "security::no_address_from_outside_is_fetched::in_a_token"];
    "AUTH-16" Medium [API2] [613, 294] ["7.4.1", "7.4.2"] "a token is refused after its user has logged out or was removed"
        remedy "Keep the lifetime of access tokens short. Check that the session and the user exist where a late refusal would do harm."
        open "logging out and removing users through the identity provider";
    "AUTH-17" Medium [API2, API4] [324, 400] ["13.2.6", "13.3.4"] "a retired key is refused, and unknown key ids cause no flood of requests"
        remedy "Keep fetched keys for a fixed time, and fetch them for an unknown key id at most once a minute."
        open "a target with asymmetric keys: the contract has no address of its public keys";
    "AUTH-18" Medium [API2] [598] ["14.2.1"] "a token in a query string or a cookie is refused"
        remedy "Read the token from the header `Authorization` only. Remove support for tokens in query strings and cookies."
        checked ["security::a_bad_token_is_refused_everywhere::one_in_the_query_string",
            "security::a_bad_token_is_refused_everywhere::one_in_a_cookie"];
    "AUTH-19" Medium [API2] [307] ["6.3.1"] "repeated wrong passwords are slowed down"
        remedy "Switch on the rate limit of the identity provider for failed logins by account and by address."
        not_applicable "the pipeline has no login of its own; users log in at the identity provider";
}
