//! Access: who has no valid token is nobody, on every route, and who has one is somebody on all of them.

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

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_bad_token_is_refused_everywhere, TOKENS)
            .requires([Http, Database, Minting])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_token_expires_on_time)
            .requires([Http, Minting])
            .effect(Read)
            .takes(secs(8))
            .severity(Critical),
        check!(a_valid_token_opens_every_route)
            .requires([Http])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// What is sent in a user's name.
type Forge = fn(&Minter, Uuid) -> Result<Option<Secret>, TokenError>;

/// A token that must not be accepted.
pub(super) struct Token {
    name: &'static str,
    forge: Forge,
    place: Place,
}

/// Where a token stands.
#[derive(Clone, Copy)]
enum Place {
    /// In the header for it, with its scheme.
    Header,
    /// In the address.
    Address,
    /// In a cookie.
    Cookie,
}

impl Place {
    fn put(self, request: Request, token: &Secret) -> Request {
        let names = ["access_token", "token", "jwt", "sb-access-token"];
        match self {
            Self::Header => request.secret_header("authorization", token),
            Self::Address => request.query(names.map(|name| (name, token.expose()))),
            Self::Cookie => {
                let cookies = names.map(|name| format!("{name}={}", token.expose()));
                request.secret_header("cookie", &Secret::new(cookies.join("; ")))
            }
        }
    }
}

impl Named for Token {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn token(name: &'static str, forge: Forge) -> Token {
    let place = Place::Header;
    Token { name, forge, place }
}

/// Tokens that must not be accepted.
const TOKENS: &[Token] = &[
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
    Token {
        name: "one_in_the_query_string",
        forge: |minter, user| Ok(Some(minter.tenant(user)?.token)),
        place: Place::Address,
    },
    Token {
        name: "one_in_a_cookie",
        forge: |minter, user| Ok(Some(minter.tenant(user)?.token)),
        place: Place::Cookie,
    },
    token("one_by_another_issuer", |minter, user| {
        claiming(minter, user, |claims| claims.iss += ".example.org")
    }),
    token("one_for_another_audience", |minter, user| {
        claiming(minter, user, |claims| {
            "somebody-else".clone_into(&mut claims.aud);
        })
    }),
    token("one_with_a_malformed_subject", |minter, user| {
        claiming(minter, user, |claims| "nobody".clone_into(&mut claims.sub))
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
        // What Supabase's own local development ships with.
        let published = "super-secret-jwt-token-with-at-least-32-characters-long";
        signed_with(minter, Secret::new(published), user)
    }),
];

fn bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.expose()))
}

/// A token that does not say this.
fn without(minter: &Minter, user: Uuid, claim: &str) -> Result<Option<Secret>, TokenError> {
    let mut claims = json!(minter.claims(user));
    claims.as_object_mut().map(|claims| claims.remove(claim));
    Ok(Some(bearer(&minter.token(&claims)?)))
}

/// What a Supabase project has for a key: a token of a role, and of no user.
fn key_of(minter: &Minter, user: Uuid, role: &str) -> Result<Option<Secret>, TokenError> {
    let Claims { iat, exp, .. } = minter.claims(user);
    let key = json!({"iss": "supabase", "ref": "cutover", "role": role, "iat": iat, "exp": exp});
    Ok(Some(bearer(&minter.token(&key)?)))
}

fn claiming(
    minter: &Minter,
    user: Uuid,
    change: fn(&mut Claims),
) -> Result<Option<Secret>, TokenError> {
    let mut claims = minter.claims(user);
    change(&mut claims);
    Ok(Some(bearer(&minter.token(&claims)?)))
}

fn signed_with(minter: &Minter, secret: Secret, user: Uuid) -> Result<Option<Secret>, TokenError> {
    let forger = minter.with_secret(secret);
    Ok(Some(bearer(&forger.tenant(user)?.token)))
}

/// Without a valid token every route that needs one answers 401 and says how to ask, and nothing happens.
async fn a_bad_token_is_refused_everywhere(cx: &Context, case: &Token) -> CheckResult {
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let token = (case.forge)(cx.minter()?, tenant.user_id)?;
    for endpoint in guarded(cx) {
        let mut request = meaningful(cx, &pipeline.anonymous(), endpoint)?;
        if let Some(token) = &token {
            request = case.place.put(request, token);
        }
        let reply = pipeline.ask(endpoint, request).await?.expect_status(401)?;
        expect_error_body(&reply, cx.contract())?;
        let scheme = reply.header("www-authenticate").unwrap_or_default();
        ensure!(
            scheme.to_ascii_lowercase().starts_with("bearer"),
            "{} is refused without saying that it wants a bearer token: WWW-Authenticate is '{scheme}'",
            reply.request
        );
    }
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure!(rows.is_empty(), "a refused registration leaves a row");
    Ok(())
}

/// How long after its end a token may still be good, for clocks that are apart.
const LENIENCY: Duration = Duration::from_secs(75);

/// A token that was good, and was used, is refused once its time is over.
async fn a_token_expires_on_time(cx: &Context) -> CheckResult {
    let user = cx.tenant()?.user_id;
    let mut claims = cx.minter()?.claims(user);
    claims.exp = claims.iat + LIFE_S;
    let pipeline = cx.pipeline_as(cx.minter()?.tenant_claiming(user, &claims)?)?;
    pipeline.jobs(&[]).await?.expect_status(200)?;
    cx.eventually("the token is refused", LENIENCY, async || {
        let reply = pipeline.jobs(&[]).await?;
        Ok(if reply.status == 401 {
            Look::Seen(())
        } else {
            Look::NotYet(reply.summary())
        })
    })
    .await
}

/// How long the token is good, in seconds.
const LIFE_S: i64 = 5;

/// A valid token is valid on every route: none refuses it, and none breaks on it.
async fn a_valid_token_opens_every_route(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    for endpoint in guarded(cx) {
        let request = meaningful(cx, &pipeline, endpoint)?;
        let reply = pipeline.ask(endpoint, request).await?;
        ensure!(
            !matches!(reply.status, 401 | 403 | 405 | 500..),
            "{} is answered with {} to a valid token",
            reply.request,
            reply.summary()
        );
    }
    Ok(())
}

/// The endpoints that the target has and that need a token.
fn guarded(cx: &Context) -> impl Iterator<Item = Endpoint> {
    let has = |endpoint: &Endpoint| {
        let route = cx.contract().route(*endpoint);
        route.is_some_and(|route| route.presence != Presence::Absent)
    };
    Endpoint::ALL
        .into_iter()
        .filter(|endpoint| endpoint.needs_token())
        .filter(has)
}

/// A request that would be understood: a body that is expected, the id of nothing.
fn meaningful(cx: &Context, pipeline: &Pipeline, endpoint: Endpoint) -> CheckResult<Request> {
    let nothing = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
    let request = pipeline.request(endpoint, nothing)?;
    let requests = &cx.contract().requests;
    Ok(if endpoint == Endpoint::Upload {
        request.json(&requests.upload.body(cx.document().build().upload()))
    } else if endpoint == Endpoint::Search {
        request.json(&requests.search.body("policy", 1))
    } else {
        request
    })
}
