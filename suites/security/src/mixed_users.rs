//! Mixed users: requests of several users at once, and one after another at the same address, are never mixed up.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::{Request, Response};
use futures::StreamExt as _;
use futures::stream;

use super::client_headers::send;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(users_at_once_are_never_mixed_up)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(1))
            .severity(Critical),
        check!(nobody_is_answered_from_a_cache_of_another_user)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(an_idempotency_key_belongs_to_its_user, KEY_HEADERS)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// A user with a document, and what only that user may see.
struct Person {
    pipeline: Pipeline,
    private: Vec<String>,
    requests: Vec<Request>,
}

impl Person {
    /// A user with a registered document, and the reads that show it.
    async fn new(cx: &Context) -> CheckResult<Self> {
        let pipeline = cx.pipeline()?;
        let document = cx.document().build();
        let accepted = pipeline.accept(document.upload()).await?;
        let mut requests = Vec::new();
        for endpoint in [Endpoint::Jobs, Endpoint::Job, Endpoint::Document] {
            if cx.contract().has(endpoint) {
                let id = pipeline.id_for(endpoint, &accepted);
                requests.push(pipeline.request(endpoint, id)?);
            }
        }
        let ids = [accepted.job_id, accepted.document_id].map(|id| id.to_string());
        let nonce = document.nonce().to_owned();
        let mut person = Self {
            pipeline,
            private: ids.into_iter().chain([nonce]).collect(),
            requests: Vec::new(),
        };
        for request in requests {
            // What a route does not show to its owner, it cannot show to another user.
            let alone = send(&person.pipeline, request.clone()).await?;
            if person.is_shown_in(&alone) {
                person.requests.push(request);
            }
        }
        Ok(person)
    }

    /// Whether a response shows something of this user.
    fn is_shown_in(&self, reply: &Response) -> bool {
        let text = reply.text();
        reply.is_success() && self.private.iter().any(|word| text.contains(word))
    }

    /// A response to somebody else shows nothing of this user.
    fn expect_hidden(&self, reply: &Response) -> CheckResult {
        let text = reply.text();
        let leak = self.private.iter().find(|word| text.contains(*word));
        ensure!(
            leak.is_none(),
            "{} is answered with data of another user: {}",
            reply.request,
            reply.summary()
        );
        Ok(())
    }
}

/// The number of requests, and of those that are under way at once.
const REQUESTS: usize = 240;
const AT_ONCE: usize = 24;
/// Every request of this number is given up while it is under way.
const CANCELLED: usize = 5;
/// How long such a request is waited for: about as long as a request takes.
const IMPATIENCE: Duration = Duration::from_millis(2);

/// Two users read at the same time; some requests are given up under way. Each response is of the user who asked.
async fn users_at_once_are_never_mixed_up(cx: &Context) -> CheckResult {
    let people = [Person::new(cx).await?, Person::new(cx).await?];
    ensure_given(&people[0])?;
    let asked = (0..REQUESTS).map(|number| {
        let (asking, other) = (&people[number % 2], &people[(number + 1) % 2]);
        let request = asking.requests[number / 2 % asking.requests.len()].clone();
        async move {
            if number % CANCELLED == 0 {
                let request = send(&asking.pipeline, request);
                // A request that is given up has no answer to look at.
                drop(tokio::time::timeout(IMPATIENCE, request).await);
                return Ok(());
            }
            let reply = send(&asking.pipeline, request).await?;
            other.expect_hidden(&reply)?;
            // A service that is overloaded may refuse: that mixes up nobody.
            let refuses = reply.status == 429 || reply.status >= 500;
            ensure!(
                refuses || asking.is_shown_in(&reply),
                "{}, beside requests of another user, is answered with {}",
                reply.request,
                reply.summary()
            );
            Ok(())
        }
    });
    let mut answers = stream::iter(asked).buffer_unordered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        answer?;
    }
    Ok(())
}

fn ensure_given(person: &Person) -> CheckResult {
    if person.requests.is_empty() {
        return Err(Stop::not_applicable(
            "the target has no route by which users read their documents",
        ));
    }
    Ok(())
}

/// After a user has read something, the same address shows another user nothing of it: neither to a read, nor to a
/// question whether it has changed, nor to a client without a token. No shared cache may keep the response.
async fn nobody_is_answered_from_a_cache_of_another_user(cx: &Context) -> CheckResult {
    let (owner, stranger) = (Person::new(cx).await?, Person::new(cx).await?);
    ensure_given(&owner)?;
    for (request, same) in owner.requests.iter().zip(same_addresses(&owner, &stranger)) {
        let shown = send(&owner.pipeline, request.clone()).await?;
        expect_private(&shown)?;
        let validators = [
            ("etag", "if-none-match"),
            ("last-modified", "if-modified-since"),
        ];
        let validators = validators
            .iter()
            .filter_map(|(given, asked)| Some((*asked, shown.header(given)?)));
        let mut questions = vec![same.clone(), without_token(&same)];
        questions.extend(validators.map(|(name, value)| same.clone().header(name, value)));
        for question in questions {
            let reply = send(&stranger.pipeline, question).await?;
            owner.expect_hidden(&reply)?;
            ensure!(
                reply.status != 304,
                "{} tells another user that it has not changed: {}",
                reply.request,
                reply.summary()
            );
        }
    }
    Ok(())
}

/// The requests of the stranger to the addresses at which the owner read.
fn same_addresses(owner: &Person, stranger: &Person) -> Vec<Request> {
    let addresses = owner.requests.iter().zip(&stranger.requests);
    addresses
        .map(|(own, other)| other.clone().to(own.url().clone()))
        .collect()
}

fn without_token(request: &Request) -> Request {
    Request::get(request.url().clone())
}

/// No shared cache may keep a response to a request with a token unless the response says so (RFC 9111, section 3.5).
fn expect_private(reply: &Response) -> CheckResult {
    let control = reply
        .header("cache-control")
        .unwrap_or_default()
        .to_lowercase();
    let is_shared = control
        .split(',')
        .map(str::trim)
        .any(|directive| directive == "public" || directive.starts_with("s-maxage"));
    let age = reply.header("age").is_some_and(|age| age != "0");
    ensure!(
        !is_shared && !age,
        "the response to {} may be kept by shared caches: Cache-Control is '{control}', Age is '{}'",
        reply.request,
        reply.header("age").unwrap_or_default()
    );
    Ok(())
}

/// A header that marks a repeated request.
pub(super) struct KeyHeader {
    name: &'static str,
    header: &'static str,
}

impl Named for KeyHeader {
    fn name(&self) -> &'static str {
        self.name
    }
}

const KEY_HEADERS: &[KeyHeader] = &[
    KeyHeader {
        name: "idempotency_key",
        header: "idempotency-key",
    },
    KeyHeader {
        name: "request_id",
        header: "x-request-id",
    },
    KeyHeader {
        name: "correlation_id",
        header: "x-correlation-id",
    },
];

/// Two users who mark their registrations with the same key have a document each.
async fn an_idempotency_key_belongs_to_its_user(cx: &Context, case: &KeyHeader) -> CheckResult {
    let key = uuid::Builder::from_random_bytes(cx.random())
        .into_uuid()
        .to_string();
    let mut ids: Vec<Uuid> = Vec::new();
    for _ in 0..2 {
        let pipeline = cx.pipeline()?;
        let document = cx.document().build();
        let body = cx.contract().requests.upload.body(document.upload());
        let request = pipeline.request(Endpoint::Upload, "")?.json(&body);
        let request = request.header(case.header, &key);
        let reply = pipeline.ask(Endpoint::Upload, request).await?;
        let reply = reply.expect_status(&cx.contract().statuses.accepted)?;
        let accepted = cutover_harness::contract::Accepted::read(&reply, cx.contract())?;
        let shown = pipeline.show(&accepted).await?;
        ensure!(
            shown.is_success()
                && !ids.contains(&accepted.document_id)
                && !ids.contains(&accepted.job_id),
            "a registration with a key that another user has used before ({}) is answered with that user's document: {}",
            case.header,
            shown.summary()
        );
        ids.extend([accepted.document_id, accepted.job_id]);
    }
    Ok(())
}
