//! Forged tokens: a valid token that was changed, signed anew or tied to another key opens no route.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::Request;
use cutover_harness::secret::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::client_headers::send;
use super::guarded::require_guarded;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_forged_token_opens_nothing, FORGERIES)
            .requires([Http])
            .effect(Effect::Read)
            .severity(Critical),
    ]
}

/// The three segments of a signed token, decoded (RFC 7515, section 3.1).
#[derive(Clone)]
struct Segments {
    header: Value,
    claims: Value,
    /// The two signed segments as they were sent.
    signed: String,
    signature: Vec<u8>,
}

impl Segments {
    /// The segments of a token; nothing if it is not a signed JSON web token.
    fn of(token: &Secret) -> Option<Self> {
        let mut parts = token.expose().split('.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self {
            header: serde_json::from_slice(&decode(header)?).ok()?,
            claims: serde_json::from_slice(&decode(claims)?).ok()?,
            signed: format!("{header}.{claims}"),
            signature: decode(signature)?,
        })
        .filter(|_| parts.next().is_none())
    }

    /// The token with these members of its header.
    fn with_header(mut self, members: &[(&str, Value)]) -> Self {
        for (name, value) in members {
            self.header[*name] = value.clone();
        }
        self.signed = format!("{}.{}", encoded(&self.header), encoded(&self.claims));
        self
    }

    /// The token with this claim.
    fn with_claim(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        self.signed = format!("{}.{}", encoded(&self.header), encoded(&self.claims));
        self
    }

    /// The token, signed with this key by HMAC-SHA256.
    fn signed_with(mut self, key: &[u8]) -> Self {
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
            mac.update(self.signed.as_bytes());
            self.signature = mac.finalize().into_bytes().to_vec();
        }
        self
    }

    fn with_signature(mut self, change: fn(&mut Vec<u8>)) -> Self {
        change(&mut self.signature);
        self
    }

    fn token(&self) -> String {
        format!(
            "{}.{}",
            self.signed,
            URL_SAFE_NO_PAD.encode(&self.signature)
        )
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A way to forge a token from a valid one.
pub(super) struct TokenForgery {
    name: &'static str,
    /// The forged tokens.
    forge: fn(&Segments) -> Vec<String>,
}

impl Named for TokenForgery {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn forgery(name: &'static str, forge: fn(&Segments) -> Vec<String>) -> TokenForgery {
    TokenForgery { name, forge }
}

/// The key of the attacker.
const OWN_KEY: &[u8] = b"a key of nobody but the sender of this token";

const FORGERIES: &[TokenForgery] = &[
    forgery("without_an_algorithm", |valid| {
        let variants = ["none", "None", "NONE", "nOnE", ""].map(Value::from);
        let without = variants.into_iter().chain([Value::Null]);
        without
            .flat_map(|name| {
                let token = valid.clone().with_header(&[("alg", name)]);
                let unsigned = token.clone().with_signature(Vec::clear);
                [token.token(), unsigned.token(), token.signed]
            })
            .collect()
    }),
    forgery("without_a_signature", |valid| {
        let cleared = valid.clone().with_signature(Vec::clear);
        let zero = valid.clone().with_signature(|bytes| bytes.fill(0));
        vec![cleared.token(), valid.signed.clone(), zero.token()]
    }),
    forgery("with_a_changed_claim", |valid| {
        let user = Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0001).to_string();
        let later = valid.claims["exp"].as_i64().unwrap_or_default() + 86_400;
        [
            ("sub", json!(user)),
            ("exp", json!(later)),
            ("role", json!("service_role")),
        ]
        .map(|(name, value)| valid.clone().with_claim(name, value).token())
        .into()
    }),
    forgery("with_a_changed_bit_of_its_signature", |valid| {
        let changes: [fn(&mut Vec<u8>); 3] = [
            |bytes| flip(bytes, |_| 0),
            |bytes| flip(bytes, |length| length / 2),
            |bytes| flip(bytes, |length| length.saturating_sub(1)),
        ];
        let changed = changes.map(|change| valid.clone().with_signature(change).token());
        changed.into()
    }),
    forgery("with_a_part_of_its_signature", |valid| {
        let halved = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2);
        let one = |bytes: &mut Vec<u8>| bytes.truncate(1);
        let twice = |bytes: &mut Vec<u8>| bytes.extend_from_within(..);
        [halved as fn(&mut Vec<u8>), one, twice]
            .map(|change| valid.clone().with_signature(change).token())
            .into()
    }),
    forgery("signed_with_a_key_that_everybody_can_guess", |valid| {
        let issuer = valid.claims["iss"].as_str().unwrap_or_default().to_owned();
        let keys = [
            "",
            "secret",
            "changeme",
            "password",
            "jwt",
            "test",
            "dev",
            "supabase",
            "key",
            "none",
            "null",
            "undefined",
            "your-256-bit-secret",
            "your-secret-key",
            "my-secret",
            "super-secret-jwt-token-with-at-least-32-characters-long",
            &issuer,
        ];
        keys.map(|key| valid.clone().signed_with(key.as_bytes()).token())
            .into()
    }),
    forgery("signed_with_a_key_that_its_id_names", |valid| {
        let ids = [
            ("../../../../../../dev/null", ""),
            ("/dev/null", ""),
            ("' UNION SELECT 'cutover' -- ", "cutover"),
            (
                "../../../../../../proc/sys/kernel/randomize_va_space",
                "2\n",
            ),
            ("", ""),
            ("unknown", "unknown"),
        ];
        ids.map(|(id, key)| {
            let named = valid.clone().with_header(&[("kid", json!(id))]);
            named.signed_with(key.as_bytes()).token()
        })
        .into()
    }),
    forgery("signed_with_a_key_that_it_contains", |valid| {
        let key = json!({"kty": "oct", "alg": "HS256", "kid": "own", "k": URL_SAFE_NO_PAD.encode(OWN_KEY)});
        let members = [
            vec![("jwk", key.clone())],
            vec![("jwk", key), ("kid", json!("own"))],
            vec![("x5c", json!([STANDARD.encode(OWN_KEY)]))],
        ];
        members
            .iter()
            .map(|members| {
                valid
                    .clone()
                    .with_header(members)
                    .signed_with(OWN_KEY)
                    .token()
            })
            .collect()
    }),
];

/// Flips the lowest bit of the byte at this place.
fn flip(bytes: &mut [u8], place: fn(usize) -> usize) {
    let at = place(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
    }
}

/// Every forged token is refused like no token; the valid one is accepted before and after.
async fn a_forged_token_opens_nothing(cx: &Context, case: &TokenForgery) -> CheckResult {
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let Some(valid) = Segments::of(&tenant.token) else {
        return Err(Stop::not_applicable(
            "the tokens of this target are no signed JSON web tokens",
        ));
    };
    let requests = read_requests(cx, &pipeline)?;
    for (_, request) in &requests {
        require_guarded(&pipeline, request.clone()).await?;
    }
    expect_accepted(&pipeline, &requests, &tenant.token).await?;
    for (index, token) in (case.forge)(&valid).into_iter().enumerate() {
        // A route may verify tokens in its own way, so that one of each kind is tried at all of them.
        let tried = if index == 0 { requests.len() } else { 1 };
        for (endpoint, request) in requests.iter().take(tried) {
            let request = request.clone().bearer(&Secret::new(token.clone()));
            let reply = pipeline.ask(*endpoint, request).await?;
            ensure!(
                cx.contract().statuses.unauthenticated.include(reply.status),
                "{}, with a token {}, is answered with {}",
                reply.request,
                case.name.replace('_', " "),
                reply.summary()
            );
        }
    }
    expect_accepted(&pipeline, &requests, &tenant.token).await
}

/// Requests without a token to the protected endpoints that change nothing.
fn read_requests(cx: &Context, pipeline: &Pipeline) -> CheckResult<Vec<(Endpoint, Request)>> {
    let anonymous = pipeline.anonymous();
    let unknown = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
    let mut requests = Vec::new();
    for endpoint in [
        Endpoint::Jobs,
        Endpoint::Job,
        Endpoint::Document,
        Endpoint::Limits,
        Endpoint::Search,
    ] {
        if !cx.contract().has(endpoint) {
            continue;
        }
        let request = anonymous.request(endpoint, unknown)?;
        requests.push((
            endpoint,
            if endpoint == Endpoint::Search {
                request.json(&cx.contract().requests.search.body("policy", 1))
            } else {
                request
            },
        ));
    }
    Ok(requests)
}

/// The valid token is not refused as such, so that a refusal of another one means something.
async fn expect_accepted(
    pipeline: &Pipeline,
    requests: &[(Endpoint, Request)],
    token: &Secret,
) -> CheckResult {
    for (_, request) in requests {
        let reply = send(pipeline, request.clone().bearer(token)).await?;
        ensure!(
            !matches!(reply.status, 401 | 500..),
            "{}, with a valid token, is answered with {}",
            reply.request,
            reply.summary()
        );
    }
    Ok(())
}
