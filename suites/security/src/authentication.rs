//! Authentication: every protected route rejects invalid tokens and accepts valid ones.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Endpoint, Presence};
use cutover_harness::identity::{Claims, Minter, TokenError};
use cutover_harness::prelude::*;
use cutover_harness::probe::Request;
use cutover_harness::secret::Secret;
use serde_json::json;

use cutover_suite_support::responses::expect_error_body;

use super::guarded::require_guarded;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_bad_token_is_refused_everywhere, INVALID_TOKENS)
            .requires([Http, Database, Minting])
            .reads([read::DOCUMENTS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_token_expires_on_time)
            .requires([Http, Minting])
            .calls([Endpoint::Jobs])
            .effect(Effect::Read)
            .expected_duration(secs(8))
            .severity(Critical),
        check!(a_valid_token_opens_every_route)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// Creates the `Authorization` value, or none, from the minter and the id of a user.
type Forge = fn(&Minter, Uuid) -> Result<Option<Secret>, TokenError>;

/// An invalid token.
pub(super) struct InvalidToken {
    name: &'static str,
    forge: Forge,
    place: TokenPlace,
}

/// Where the request carries the token.
#[derive(Clone, Copy)]
enum TokenPlace {
    /// In the `Authorization` header, with its scheme.
    Header,
    /// In the query string.
    QueryString,
    /// In a cookie.
    Cookie,
}

impl TokenPlace {
    fn put(self, request: Request, token: &Secret) -> Request {
        let names = ["access_token", "token", "jwt", "sb-access-token"];
        match self {
            Self::Header => request.secret_header("authorization", token),
            Self::QueryString => request.query(names.map(|name| (name, token.expose()))),
            Self::Cookie => {
                let cookies = names.map(|name| format!("{name}={}", token.expose()));
                request.secret_header("cookie", &Secret::new(cookies.join("; ")))
            }
        }
    }
}

impl Named for InvalidToken {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn token(name: &'static str, forge: Forge) -> InvalidToken {
    let place = TokenPlace::Header;
    InvalidToken { name, forge, place }
}

/// Invalid tokens.
const INVALID_TOKENS: &[InvalidToken] = &[
    token("none", |_, _| Ok(None)),
    token("an_empty_one", |_, _| Ok(Some(Secret::new("Bearer ")))),
    token("garbage", |_, _| Ok(Some(Secret::new("Bearer a.b.c")))),
    token("bytes_that_are_no_text", |_, _| {
        Ok(Some(Secret::new("Bearer \u{fc}\u{ff}")))
    }),
    token("a_user_and_a_password", |_, _| {
        Ok(Some(Secret::new("Basic dXNlcjpwYXNzd29yZA==")))
    }),
    token("a_valid_one_without_scheme", |minter, user| {
        Ok(Some(minter.tenant(user)?.token))
    }),
    token("an_expired_one", |minter, user| {
        Ok(Some(bearer(&minter.expired(user)?.token)))
    }),
    token("one_not_yet_valid", |minter, user| {
        let mut claims = json!(minter.claims(user));
        claims["nbf"] = json!(minter.claims(user).exp - 60);
        Ok(Some(bearer(&minter.token(&claims)?)))
    }),
    token("one_without_an_expiry", |minter, user| {
        without(minter, user, "exp")
    }),
    token("one_without_a_subject", |minter, user| {
        without(minter, user, "sub")
    }),
    token("the_service_role_key", |minter, user| {
        key_of(minter, user, "service_role")
    }),
    token("the_anon_key", |minter, user| key_of(minter, user, "anon")),
    InvalidToken {
        name: "one_in_the_query_string",
        forge: |minter, user| Ok(Some(minter.tenant(user)?.token)),
        place: TokenPlace::QueryString,
    },
    InvalidToken {
        name: "one_in_a_cookie",
        forge: |minter, user| Ok(Some(minter.tenant(user)?.token)),
        place: TokenPlace::Cookie,
    },
    token("one_by_another_issuer", |minter, user| {
        with_claims(minter, user, |claims| claims.iss += ".example.org")
    }),
    token("one_for_another_audience", |minter, user| {
        with_claims(minter, user, |claims| {
            "another-audience".clone_into(&mut claims.aud);
        })
    }),
    token("one_with_a_malformed_subject", |minter, user| {
        with_claims(minter, user, |claims| {
            "not-a-uuid".clone_into(&mut claims.sub);
        })
    }),
    token("one_without_a_signature", |minter, user| {
        Ok(Some(bearer(&minter.unsigned(&minter.claims(user))?)))
    }),
    token("one_signed_with_another_secret", |minter, user| {
        signed_with(minter, Secret::random(), user)
    }),
    token("one_signed_with_an_empty_secret", |minter, user| {
        signed_with(minter, Secret::new(""), user)
    }),
    token("one_signed_with_a_password", |minter, user| {
        signed_with(minter, Secret::new("secret"), user)
    }),
    token("one_signed_with_a_published_secret", |minter, user| {
        // The default secret of Supabase's local development.
        let published = "super-secret-jwt-token-with-at-least-32-characters-long";
        signed_with(minter, Secret::new(published), user)
    }),
];

fn bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.expose()))
}

/// A token without this claim.
fn without(minter: &Minter, user: Uuid, claim: &str) -> Result<Option<Secret>, TokenError> {
    let mut claims = json!(minter.claims(user));
    claims.as_object_mut().map(|claims| claims.remove(claim));
    Ok(Some(bearer(&minter.token(&claims)?)))
}

/// An API key of a Supabase project: a token with a role and without a user.
fn key_of(minter: &Minter, user: Uuid, role: &str) -> Result<Option<Secret>, TokenError> {
    let Claims { iat, exp, .. } = minter.claims(user);
    let key = json!({"iss": "supabase", "ref": "cutover", "role": role, "iat": iat, "exp": exp});
    Ok(Some(bearer(&minter.token(&key)?)))
}

fn with_claims(
    minter: &Minter,
    user: Uuid,
    change: fn(&mut Claims),
) -> Result<Option<Secret>, TokenError> {
    let mut claims = minter.claims(user);
    change(&mut claims);
    Ok(Some(bearer(&minter.token(&claims)?)))
}

fn signed_with(minter: &Minter, secret: Secret, user: Uuid) -> Result<Option<Secret>, TokenError> {
    let minter = minter.with_secret(secret);
    Ok(Some(bearer(&minter.tenant(user)?.token)))
}

/// The status whose response names the scheme.
const UNAUTHORIZED: u16 = 401;

/// Without a valid token, every protected route refuses, a 401 names the bearer scheme, and nothing changes.
async fn a_bad_token_is_refused_everywhere(cx: &Context, case: &InvalidToken) -> CheckResult {
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let token = (case.forge)(cx.minter()?, tenant.user_id)?;
    for endpoint in protected_endpoints(cx) {
        let mut request = well_formed(cx, &pipeline.anonymous(), endpoint)?;
        if let Some(token) = &token {
            request = case.place.put(request, token);
        }
        let reply = pipeline
            .ask(endpoint, request)
            .await?
            .expect_status(&cx.contract().statuses.unauthenticated)?;
        expect_error_body(&reply, cx.contract())?;
        if reply.status != UNAUTHORIZED || !cx.contract().responses.challenge {
            continue;
        }
        let scheme = reply.header("www-authenticate").unwrap_or_default();
        ensure!(
            scheme.to_ascii_lowercase().starts_with("bearer"),
            "{} is refused without naming the bearer scheme: WWW-Authenticate is '{scheme}'",
            reply.request
        );
    }
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure!(rows.is_empty(), "a refused registration creates a row");
    Ok(())
}

/// How long after its expiry a token may still be accepted, to allow for clock skew.
const CLOCK_SKEW: Duration = Duration::from_secs(75);

/// A token that was valid, and was used, is refused after its expiry.
async fn a_token_expires_on_time(cx: &Context) -> CheckResult {
    let user = cx.tenant()?.user_id;
    let mut claims = cx.minter()?.claims(user);
    claims.exp = claims.iat + LIFETIME_S;
    let pipeline = cx.pipeline_as(cx.minter()?.tenant_with_claims(user, &claims)?)?;
    let anonymous = pipeline.anonymous();
    require_guarded(&anonymous, anonymous.request(Endpoint::Jobs, "")?).await?;
    pipeline.jobs(&[]).await?.expect_status(200)?;
    cx.eventually("the token is refused", CLOCK_SKEW, async || {
        let reply = pipeline.jobs(&[]).await?;
        Ok(
            if cx.contract().statuses.unauthenticated.include(reply.status) {
                Poll::Ready(())
            } else {
                Poll::Pending(reply.summary())
            },
        )
    })
    .await
}

/// The lifetime of the token, in seconds.
const LIFETIME_S: i64 = 5;

/// Every protected route accepts a valid token and answers without a server error.
async fn a_valid_token_opens_every_route(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    for endpoint in protected_endpoints(cx) {
        let request = well_formed(cx, &pipeline, endpoint)?;
        let reply = pipeline.ask(endpoint, request).await?;
        // The id of the request is unknown, which some services answer with 403.
        let is_unknown = cx.contract().statuses.unknown.include(reply.status);
        ensure!(
            is_unknown || !matches!(reply.status, 401 | 403 | 405 | 500..),
            "{}, with a valid token, is answered with {}",
            reply.request,
            reply.summary()
        );
    }
    Ok(())
}

/// The protected endpoints of the target.
fn protected_endpoints(cx: &Context) -> impl Iterator<Item = Endpoint> {
    let has = |endpoint: &Endpoint| {
        let route = cx.contract().route(*endpoint);
        route.is_some_and(|route| route.presence != Presence::Absent)
    };
    Endpoint::ALL
        .into_iter()
        .filter(|endpoint| endpoint.needs_token())
        .filter(has)
}

/// A well-formed request to an endpoint, with a valid body or an unknown id.
fn well_formed(cx: &Context, pipeline: &Pipeline, endpoint: Endpoint) -> CheckResult<Request> {
    let unknown = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
    let request = pipeline.request(endpoint, unknown)?;
    let requests = &cx.contract().requests;
    Ok(if endpoint == Endpoint::Upload {
        request.json(&requests.upload.body(cx.document().build().upload()))
    } else if endpoint == Endpoint::Search {
        request.json(&requests.search.body("policy", 1))
    } else {
        request
    })
}
