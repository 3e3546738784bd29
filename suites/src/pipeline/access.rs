//! Access: who has no valid token is nobody, on every route, and who has one is somebody on all of them.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Endpoint, Presence};
use cutover_harness::identity::{Claims, Minter, TokenError};
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Request};
use cutover_harness::secret::Secret;

use crate::reading::is_a_described_error;

/// The checks of this file.
pub(super) fn table() -> Vec<Check> {
    vec![
        check!(a_bad_token_is_refused_everywhere, TOKENS)
            .requires([Http, Database, Minting])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_token_ends_when_it_says)
            .requires([Http, Minting])
            .effect(Read)
            .takes(secs(8))
            .severity(Critical),
        check!(a_valid_token_opens_every_route)
            .requires([Http])
            .effect(WriteTenant)
            .severity(Critical),
        check!(no_back_door_is_open, DOORS)
            .requires([Http])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// The `Authorization` header that is sent in a user's name.
type Forge = fn(&Minter, Uuid) -> Result<Option<Secret>, TokenError>;

/// A token that must not be accepted.
pub(super) struct Token {
    name: &'static str,
    header: Forge,
}

impl Named for Token {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn token(name: &'static str, header: Forge) -> Token {
    Token { name, header }
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
    token("one_without_an_end", |minter, user| {
        let mut claims = serde_json::to_value(minter.claims(user)).unwrap_or_default();
        claims.as_object_mut().map(|claims| claims.remove("exp"));
        Ok(Some(bearer(&minter.token(&claims)?)))
    }),
    token("one_by_another_issuer", |minter, user| {
        claiming(minter, user, |claims| claims.iss += ".example.org")
    }),
    token("one_for_another_audience", |minter, user| {
        claiming(minter, user, |claims| {
            "somebody-else".clone_into(&mut claims.aud);
        })
    }),
    token("one_of_nobody", |minter, user| {
        claiming(minter, user, |claims| "nobody".clone_into(&mut claims.sub))
    }),
    token("one_without_a_signature", |minter, user| {
        Ok(Some(bearer(&minter.unsigned(&minter.claims(user))?)))
    }),
    token("one_signed_by_a_stranger", |minter, user| {
        signed_with(minter, Secret::random(), user)
    }),
    token("one_signed_with_nothing", |minter, user| {
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
    let header = (case.header)(cx.minter()?, tenant.user_id)?;
    for endpoint in guarded(cx) {
        let mut request = meaningful(cx, &pipeline.anonymous(), endpoint)?;
        if let Some(header) = &header {
            request = request.secret_header("authorization", header);
        }
        let reply = pipeline.ask(endpoint, request).await?.expect_status(401)?;
        is_a_described_error(&reply, cx.contract())?;
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
async fn a_token_ends_when_it_says(cx: &Context) -> CheckResult {
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

/// A route that services were seen to have open.
pub(super) struct Door {
    name: &'static str,
    path: &'static str,
}

impl Named for Door {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Routes that services were seen to have open, below the API's prefix.
const DOORS: &[Door] = &[
    Door {
        name: "test_uploads",
        path: "/upload-test",
    },
    Door {
        name: "legacy_uploads",
        path: "/upload-document-backend-no-auth",
    },
    Door {
        name: "uploads_by_proxy",
        path: "/upload-file/00000000-0000-4000-8000-000000000001",
    },
    Door {
        name: "debugging",
        path: "/debug",
    },
    Door {
        name: "debugging_of_authentication",
        path: "/debug-auth",
    },
    Door {
        name: "testing_of_callbacks",
        path: "/webhook/test",
    },
];

/// Nobody gets in where nothing should be: not by reading, not by writing.
async fn no_back_door_is_open(cx: &Context, case: &Door) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    let said = &cx.contract().requests.upload;
    let registration = said.body(cx.document().build().upload());
    for prefix in ["", &cx.contract().prefix, &cx.contract().webhook_prefix] {
        let mut url = pipeline.request(Endpoint::Health, "")?.url().clone();
        url.set_path(&format!("{prefix}{}", case.path));
        for request in [
            Request::get(url.clone()),
            Request::post(url.clone()).json(&registration),
            Request::put(url.clone()).body("application/pdf", *b"%PDF"),
        ] {
            let reply = pipeline
                .http()
                .send(request)
                .await
                .map_err(HttpError::into_stop)?;
            ensure!(
                matches!(reply.status, 401 | 403 | 404 | 405),
                "{} is answered to nobody with {}",
                reply.request,
                reply.summary()
            );
        }
    }
    Ok(())
}
