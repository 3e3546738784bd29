//! Log privacy: nothing that a user gives is in a log, whatever comes of it.

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::contract::Endpoint;
use cutover_harness::prelude::*;
use cutover_harness::probe::Log;
use cutover_harness::secret::Secret;
use cutover_harness::standin::{
    Callback, CallbackStatus, EmbedderBehaviour, ParserAnswer, ParserBehaviour, StorageBehaviour,
};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(nothing_that_a_user_gives_is_logged)
            .requires([Http, Standins, Logs])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(3))
            .severity(Critical),
    ]
}

/// Markers of what a user gives, each with its kind.
#[derive(Default)]
struct Given {
    markers: Vec<(&'static str, Secret)>,
}

impl Given {
    /// A new marker of this kind, to be put into what is sent.
    fn marker(&mut self, cx: &Context, kind: &'static str) -> String {
        // Letters only, so that no escaping and no number format changes it.
        let letters = cx.random::<20>().map(|byte| char::from(b'a' + byte % 26));
        let marker: String = letters.iter().collect();
        self.markers.push((kind, Secret::new(marker.clone())));
        marker
    }

    fn add(&mut self, kind: &'static str, text: &str) {
        if !text.is_empty() {
            self.markers.push((kind, Secret::new(text)));
        }
    }

    /// No log contains a marker, in plain text or encoded.
    fn expect_not_logged(&self, logs: &[Log]) -> CheckResult {
        for log in logs {
            let revealed = log.revealed(&self.markers);
            ensure!(
                revealed.is_none(),
                "{} has logged {}",
                log.process,
                revealed.unwrap_or(&"nothing")
            );
        }
        Ok(())
    }
}

/// The logs from these lengths on.
async fn logs_since(cx: &Context, before: &[Log]) -> CheckResult<Vec<Log>> {
    let length = |name: &str| {
        let log = before.iter().find(|log| log.process == name);
        log.map_or(0, |log| log.text.len())
    };
    let logs = cx.logs()?.read().await?.into_iter();
    Ok(logs
        .map(|log| {
            let start = length(&log.process);
            log.from_byte(start)
        })
        .collect())
}

/// Names, words, searches, addresses and tokens of users are in no log: of documents that complete and that fail, of
/// requests that are refused, and of errors of providers that repeat what they were given.
async fn nothing_that_a_user_gives_is_logged(cx: &Context) -> CheckResult {
    let before = cx.logs()?.read().await?;
    let mut given = Given::default();
    complete_and_search(cx, &mut given).await?;
    for failure in FAILURES {
        fail(cx, &mut given, failure).await?;
    }
    send_failing_searches(cx, &mut given).await?;
    refuse_requests(cx, &mut given).await?;
    given.expect_not_logged(&logs_since(cx, &before).await?)
}

/// A document with markers in its name.
fn named(
    cx: &Context,
    given: &mut Given,
    kind: &'static str,
) -> (Document, cutover_harness::contract::Upload) {
    let document = cx.document().build();
    let mut upload = document.upload().clone();
    upload.filename = format!("Report of {} Smith.pdf", given.marker(cx, kind));
    given.add("the words of a document", document.nonce());
    (document, upload)
}

/// A document that completes, is uploaded again, searched for, shown and deleted.
async fn complete_and_search(cx: &Context, given: &mut Given) -> CheckResult {
    let tenant = cx.tenant()?;
    given.add("a user's access token", tenant.token.expose());
    given.add("a user's email address", &tenant.email);
    let pipeline = cx.pipeline_as(tenant)?;
    let (_, upload) = named(cx, given, "the name of a complete document");
    let done = pipeline.complete(upload.clone()).await?;
    let token = done
        .accepted
        .signed_url
        .query_pairs()
        .find(|(name, _)| name == "token");
    given.add(
        "the token of a signed URL",
        &token
            .map(|(_, token)| token.into_owned())
            .unwrap_or_default(),
    );
    pipeline
        .register(&upload)
        .await?
        .expect_status(&cx.contract().statuses.duplicate)?;
    let words = given.marker(cx, "the words of a search");
    let contract = cx.contract();
    if contract.has(Endpoint::Search) {
        let found = pipeline.search(&format!("what about {words}?"), 3).await?;
        found.expect_status(&cx.contract().statuses.searched)?;
    }
    if contract.has(Endpoint::Document) {
        pipeline.document(done.document_id()).await?;
    }
    if contract.has(Endpoint::Jobs) {
        pipeline.jobs(&[("limit", "5")]).await?;
    }
    if contract.has(Endpoint::DeleteDocument) {
        pipeline.delete(done.document_id()).await?;
    }
    Ok(())
}

/// How a document fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    RefusedByParser,
    ParserUnavailable,
    FailedCallback,
    RefusedByEmbedder,
    EmbedderUnavailable,
    OtherBytes,
    RefusedByStorage,
}

const FAILURES: [Failure; 7] = [
    Failure::RefusedByParser,
    Failure::ParserUnavailable,
    Failure::FailedCallback,
    Failure::RefusedByEmbedder,
    Failure::EmbedderUnavailable,
    Failure::OtherBytes,
    Failure::RefusedByStorage,
];

/// A document whose provider fails, with an error that repeats name and words of the document.
async fn fail(cx: &Context, given: &mut Given, failure: Failure) -> CheckResult {
    let (document, upload) = named(cx, given, "the name of a failed document");
    let words = given.marker(cx, "words that a provider repeats in an error");
    let marker = format!("cannot read '{}': invalid text '{words}'", upload.filename);
    let standins = cx.standins()?;
    let pipeline = cx.pipeline()?;
    let parsing = match failing_parser(failure, &marker) {
        Some(behaviour) => {
            let script = standins.script_parser(document.sha256(), behaviour);
            Some(script.times(1).await?)
        }
        None => None,
    };
    let embedding = match failing_embedder(failure, &marker) {
        Some(behaviour) => {
            let script = standins.script_embedder(document.nonce(), behaviour);
            Some(script.times(1).await?)
        }
        None => None,
    };
    let accepted = pipeline.accept(&upload).await?;
    let storing = if failure == Failure::RefusedByStorage {
        let user = pipeline
            .tenant()
            .map(|tenant| tenant.user_id)
            .unwrap_or_default();
        let raw = cx.contract().raw_path(user, accepted.document_id);
        let behaviour = StorageBehaviour::Refuse {
            status: 403,
            marker,
        };
        Some(
            standins
                .script_storage(format!("GET {raw}"), behaviour)
                .await?,
        )
    } else {
        None
    };
    let bytes = if failure == Failure::OtherBytes {
        b"%PDF-1.4 other".to_vec()
    } else {
        document.bytes().to_vec()
    };
    pipeline.put(&accepted.signed_url, bytes).await?;
    pipeline.until_final(&accepted).await?;
    for script in [parsing, embedding, storing].into_iter().flatten() {
        script.withdraw().await?;
    }
    Ok(())
}

/// The parser of a failure, if it is the parser that fails.
fn failing_parser(failure: Failure, marker: &str) -> Option<ParserBehaviour> {
    match failure {
        Failure::RefusedByParser => Some(refusal(422, marker)),
        Failure::ParserUnavailable => Some(refusal(503, marker)),
        Failure::FailedCallback => Some(ParserBehaviour::calling_back(Callback {
            status: CallbackStatus::Failed {
                error: marker.to_owned(),
            },
            ..Callback::default()
        })),
        Failure::RefusedByEmbedder
        | Failure::EmbedderUnavailable
        | Failure::OtherBytes
        | Failure::RefusedByStorage => None,
    }
}

/// The embedder of a failure, if it is the embedder that fails.
fn failing_embedder(failure: Failure, marker: &str) -> Option<EmbedderBehaviour> {
    let status = match failure {
        Failure::RefusedByEmbedder => 400,
        Failure::EmbedderUnavailable => 503,
        Failure::RefusedByParser
        | Failure::ParserUnavailable
        | Failure::FailedCallback
        | Failure::OtherBytes
        | Failure::RefusedByStorage => return None,
    };
    Some(EmbedderBehaviour::Refuse {
        status,
        marker: marker.to_owned(),
        retry_after_s: None,
    })
}

fn refusal(status: u16, marker: &str) -> ParserBehaviour {
    let answer = ParserAnswer::Refuse {
        status,
        marker: marker.to_owned(),
        retry_after_s: None,
    };
    ParserBehaviour {
        answer,
        ..ParserBehaviour::default()
    }
}

/// Searches whose embedder fails, with an error that repeats the query.
async fn send_failing_searches(cx: &Context, given: &mut Given) -> CheckResult {
    if !cx.contract().has(Endpoint::Search) {
        return Ok(());
    }
    let pipeline = cx.pipeline()?;
    for status in [400, 503] {
        let words = given.marker(cx, "the words of a failed search");
        let query = format!("what about {words}?");
        let behaviour = EmbedderBehaviour::Refuse {
            status,
            marker: format!("invalid input: '{query}'"),
            retry_after_s: None,
        };
        let script = cx
            .standins()?
            .script_embedder(words.as_str(), behaviour)
            .await?;
        pipeline.search(&query, 3).await?;
        script.withdraw().await?;
    }
    // Longer than any pipeline accepts, and with a wrong number of results.
    let long = given.marker(cx, "the words of a refused search");
    pipeline
        .search(&format!("{long} ").repeat(3_000), 3)
        .await?;
    pipeline
        .search(&given.marker(cx, "the words of a refused search"), 0)
        .await?;
    Ok(())
}

/// Requests that are refused, with markers in their bodies and credentials.
async fn refuse_requests(cx: &Context, given: &mut Given) -> CheckResult {
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let fields = &cx.contract().requests.upload;
    let document = cx.document().build();
    for place in [&fields.mime, &fields.sha256, &fields.bytes_len, &fields.ocr] {
        let mut upload = document.upload().clone();
        upload.filename = format!("{}.pdf", given.marker(cx, "the name of a refused document"));
        let mut body = fields.body(&upload);
        if place.is_given() {
            place.put(
                &mut body,
                given.marker(cx, "an invalid value of a registration"),
            );
            pipeline.register_as(&body).await?;
        }
    }
    let cut = format!(
        "{{\"filename\": \"{}",
        given.marker(cx, "a body that is not JSON")
    );
    let request = pipeline
        .request(Endpoint::Upload, "")?
        .body("application/json", cut);
    pipeline.ask(Endpoint::Upload, request).await?;
    let cut = format!(
        "{{\"query\": \"{}",
        given.marker(cx, "a body that is not JSON")
    );
    if let Ok(request) = pipeline.request(Endpoint::Search, "") {
        pipeline
            .ask(Endpoint::Search, request.body("application/json", cut))
            .await?;
    }
    // Tokens that are refused are still secrets: an expired one of a user, and one of another service.
    let changed = format!("{}AAAA", tenant.token.expose());
    let word = given.marker(cx, "a refused token");
    for (kind, token) in [
        ("a refused token", changed),
        ("a refused token", format!("{word}.{word}.{word}")),
    ] {
        given.add(kind, &token);
        let request = pipeline.anonymous().request(Endpoint::Upload, "")?;
        let request = request.bearer(&Secret::new(token));
        pipeline.http().send(request).await?;
    }
    let word = given.marker(cx, "a password");
    let request = pipeline.anonymous().request(Endpoint::Upload, "")?;
    let request = request.secret_header("authorization", &Secret::new(format!("Basic {word}")));
    pipeline.http().send(request).await?;
    let callback = pipeline.request(Endpoint::Callback, Uuid::nil())?;
    let body = format!(
        r#"{{"status":"completed","md":"{}"}}"#,
        given.marker(cx, "the text of a refused callback")
    );
    pipeline
        .ask(Endpoint::Callback, callback.body("application/json", body))
        .await?;
    Ok(())
}
