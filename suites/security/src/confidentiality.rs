//! Discretion: what belongs to one user stays in that user's folder, and what is secret stays out of the logs.

use std::time::Duration;

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::Log;
use cutover_harness::secret::Secret;
use cutover_harness::standin::{
    EmbedderBehaviour, ParserAnswer, ParserBehaviour, ScriptGuard, StorageBehaviour, StorageCall,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use cutover_suite_support::awaiting_callback::callback_keys;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(storage_is_asked_with_both_keys_and_for_the_owners_folder)
            .requires([Http, Standins])
            .effect(WriteTenant)
            .severity(High),
        check!(only_the_parser_gets_the_callback_secret)
            .requires([Http, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(probes_are_not_cached_and_tell_no_secret)
            .requires([Http, Logs])
            .effect(Read)
            .severity(High),
        check!(probes_name_no_user)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(an_error_tells_no_key, REFUSERS)
            .requires([Http, Database, Standins, Logs])
            .effect(WriteTenant)
            .severity(Critical),
        check!(log_lines_carry_job_and_request_ids)
            .requires([Http, Logs])
            .effect(WriteTenant)
            .severity(High),
        check!(nothing_confidential_is_logged)
            .requires([Http, Standins, Logs])
            .effect(WriteTenant)
            .severity(Critical)
            .last(),
    ]
}

/// Every call to storage proves who asks in both headers, and is about the owner's folder alone.
async fn storage_is_asked_with_both_keys_and_for_the_owners_folder(cx: &Context) -> CheckResult {
    let (contract, tenant) = (cx.contract(), cx.tenant()?);
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let done = pipeline.complete(&document).await?;
    pipeline.delete(done.document_id()).await?;
    let path = contract.raw_path(tenant.user_id, done.document_id());
    let user = tenant.user_id.to_string();
    let (Some((folder, _)), Some((_, file))) = (path.split_once(&user), path.rsplit_once('/'))
    else {
        return Err(Stop::not_applicable(
            "the contract gives users no folders of their own",
        ));
    };
    let folder = format!("{folder}{user}/");
    // A name that every document has says nothing of this one.
    let own = contract.raw_path(tenant.user_id, Uuid::nil());
    let is_own = own.rsplit('/').next() != Some(file);
    let name = file.split('.').next().filter(|_| is_own).unwrap_or(&user);
    let standins = cx.standins()?;
    let mut calls = standins.storage_calls(&user).await?;
    calls.extend(standins.storage_calls(name).await?);
    let by_service = |call: &&StorageCall| !call.signed;
    ensure!(
        calls.iter().any(|call| by_service(&call)),
        "storage was never asked about a document that arrived"
    );
    for call in calls.iter().filter(by_service) {
        let StorageCall { method, object, .. } = call;
        ensure!(
            call.has_apikey && call.has_authorization,
            "{method} {object} came with apikey: {}, Authorization: {}",
            call.has_apikey,
            call.has_authorization
        );
        ensure!(
            object.starts_with(&folder),
            "{method} {object} is about a document in {folder}"
        );
    }
    Ok(())
}

/// A line of a document that is long enough to be nobody else's.
const TELLING: usize = 24;

/// Neither a key, nor a token, nor a word of a document is ever logged, whether things go well or ill.
async fn nothing_confidential_is_logged(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let good = cx.document().paragraphs(6).build();
    let done = pipeline.complete(&good).await?;
    let bad = cx.document().paragraphs(6).build();
    fails(cx, &pipeline, &bad).await?;
    let logs = cx.logs()?.read().await?;
    for log in &logs {
        for (name, secret) in cx.secrets()? {
            ensure!(!log.reveals(secret), "{} has logged {name}", log.process);
        }
        ensure!(
            !log.reveals(&tenant.token),
            "{} has logged a user's access token",
            log.process
        );
        let leave = done.accepted.signed_url.query().unwrap_or_default();
        ensure!(
            leave.is_empty() || log.line_with(leave).is_none(),
            "{} has logged a signed address",
            log.process
        );
        for document in [&good, &bad] {
            says_nothing_of(log, document)?;
        }
    }
    keeps_the_callbacks_secrets(cx, &logs).await
}

/// Sends a document that the parser refuses, and waits for its end.
async fn fails(cx: &Context, pipeline: &Pipeline, document: &Document) -> CheckResult {
    let refusing = ParserBehaviour {
        answer: ParserAnswer::Refuse {
            status: 422,
            marker: "unreadable".to_owned(),
            retry_after_s: None,
        },
        ..ParserBehaviour::default()
    };
    let standins = cx.standins()?;
    let script = standins.script_parser(document.sha256(), refusing).await?;
    let accepted = pipeline.upload(document).await?;
    pipeline.until_final(&accepted).await?;
    Ok(script.withdraw().await?)
}

fn says_nothing_of(log: &Log, document: &Document) -> CheckResult {
    let text = document.expected_text();
    let telling = text.lines().filter(|line| line.len() >= TELLING);
    for words in telling.chain(["%PDF-"]) {
        ensure!(
            log.line_with(words).is_none(),
            "{} has logged what stands in a document",
            log.process
        );
    }
    Ok(())
}

/// No secret that signs a callback was logged, of all that there ever were.
async fn keeps_the_callbacks_secrets(cx: &Context, logs: &[Log]) -> CheckResult {
    let field = &cx.contract().callback.secret_field;
    let calls = cx.standins()?.parser_calls("").await?;
    let secrets = calls.iter().filter_map(|call| call.fields.get(field));
    for secret in secrets.filter(|secret| !secret.is_empty()) {
        for log in logs {
            ensure!(
                log.line_with(secret).is_none(),
                "{} has logged the secret of a callback",
                log.process
            );
        }
    }
    Ok(())
}

/// What is too short to be a secret.
const SHORT: usize = 16;

/// The secret of a callback is shown to nobody, and cannot be worked out from what its owner is shown.
async fn only_the_parser_gets_the_callback_secret(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let done = pipeline.complete(&document).await?;
    let (job, id) = (done.job_id(), done.document_id());
    let calls = cx.standins()?.parser_calls(document.sha256()).await?;
    let Some(call) = calls.first() else {
        return Err(Stop::violated(Finding::new(
            "the parser was not given a document that is complete",
        )));
    };
    let keys = callback_keys(cx, call)?;
    let secrets = [keys.secret, keys.token];
    let known = [job, id, tenant.user_id].map(|id| id.to_string());
    let known: Vec<_> = known
        .iter()
        .map(String::as_str)
        .chain([document.sha256()])
        .collect();
    for secret in secrets.iter().flatten() {
        ensure!(
            secret.expose().len() >= SHORT && !known.iter().any(|word| gives_away(word, secret)),
            "the secret of a callback can be worked out by whoever owns the document"
        );
    }
    for answer in [
        pipeline.show(&done.accepted).await,
        pipeline.jobs(&[]).await,
        pipeline.document(id).await,
        pipeline.register(document.upload()).await,
    ] {
        // What a target lacks shows nothing.
        let reply = match answer {
            Err(Stop::Skip { .. }) => continue,
            answer => answer?,
        };
        let shown = reply.text();
        let mut secrets = secrets.iter().flatten();
        ensure!(
            !secrets.any(|secret| shown.contains(secret.expose())),
            "{} shows the secret of a callback",
            reply.request
        );
    }
    Ok(())
}

/// Whether a secret is a word that is known, or a hash of it, or a part of either.
fn gives_away(word: &str, secret: &Secret) -> bool {
    let (plain, secret) = (word.replace('-', ""), secret.expose().to_lowercase());
    let [hash, hash_of_plain] = [word, &plain].map(|word| hex::encode(Sha256::digest(word)));
    [word, &plain, &hash, &hash_of_plain]
        .into_iter()
        .any(|made| {
            let made = made.to_lowercase();
            made.contains(&secret) || secret.contains(&made)
        })
}

/// What everybody may ask is always answered anew, and holds no key.
async fn probes_are_not_cached_and_tell_no_secret(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    for reply in [
        pipeline.health().await?,
        pipeline.ready().await?,
        pipeline.version().await?,
        pipeline.metrics().await?,
    ] {
        let cached = reply.header("cache-control").unwrap_or_default();
        ensure!(
            cached.contains("no-store"),
            "the answer to {} may be cached: Cache-Control is '{cached}'",
            reply.request
        );
        let told = Log {
            process: reply.request.clone(),
            text: reply.text(),
        };
        for (name, secret) in cx.secrets()? {
            ensure!(!told.reveals(secret), "{} tells {name}", reply.request);
        }
    }
    Ok(())
}

/// Logs are lines of JSON, and a document's way can be followed in them from its request on.
async fn log_lines_carry_job_and_request_ids(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    let done = pipeline.complete(&document).await?;
    let reply = pipeline.job(done.job_id()).await?.expect_status(200)?;
    let request = reply.header("x-request-id").unwrap_or_default().to_owned();
    let (job, id) = (done.job_id().to_string(), done.document_id().to_string());
    cx.eventually("the logs tell of it", TOLD_WITHIN, async || {
        let (mut tells_of_job, mut tells_of_request) = (false, request.is_empty());
        for log in cx.logs()?.read().await? {
            // The last line may be in the middle of being written.
            let whole = log.text.rfind('\n').map_or("", |end| &log.text[..end]);
            for line in whole.lines().filter(|line| !line.trim().is_empty()) {
                let Ok(line) = serde_json::from_str::<Value>(line) else {
                    let summary = format!("{} writes lines that are no JSON", log.process);
                    return Err(Stop::violated(
                        Finding::new(summary).comparing("a line of JSON", line),
                    ));
                };
                tells_of_job |= line["job_id"] == job && line["document_id"] == id;
                tells_of_request |= line["request_id"] == request;
            }
        }
        let missing = format!("job: {tells_of_job}, request: {tells_of_request}");
        Ok(if tells_of_job && tells_of_request {
            Look::Seen(())
        } else {
            Look::NotYet(missing)
        })
    })
    .await
}

/// How long a process may keep its lines to itself.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// Where a database is, for whoever would like to know.
const ADDRESSES: [&str; 2] = ["postgres://", "postgresql://"];

/// What everybody may ask names no user, no document and no database, whatever was uploaded.
async fn probes_name_no_user(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let id = pipeline.complete(&document).await?.document_id();
    let (user, id) = (tenant.user_id.to_string(), id.to_string());
    let words = [user.as_str(), &id, &tenant.email, document.nonce()];
    let pipeline = pipeline.anonymous();
    for reply in [
        pipeline.health().await?,
        pipeline.ready().await?,
        pipeline.version().await?,
        pipeline.metrics().await?,
    ] {
        let told = reply.text();
        let mut found = words.into_iter().chain(ADDRESSES);
        if let Some(word) = found.find(|word| !word.is_empty() && told.contains(word)) {
            let summary = format!("{} tells everybody of {word}", reply.request);
            return Err(Stop::violated(Finding::new(summary)));
        }
    }
    Ok(())
}

/// A provider that refuses the key of the service.
pub(super) struct Refuser {
    name: &'static str,
    refuse: Refuse,
}

enum Refuse {
    Parser,
    Embedder,
    Storage,
}

impl Named for Refuser {
    fn name(&self) -> &'static str {
        self.name
    }
}

const REFUSERS: &[Refuser] = &[
    Refuser {
        name: "of_the_parser",
        refuse: Refuse::Parser,
    },
    Refuser {
        name: "of_the_embedder",
        refuse: Refuse::Embedder,
    },
    Refuser {
        name: "of_storage",
        refuse: Refuse::Storage,
    },
];

impl Refuse {
    async fn begin(
        &self,
        cx: &Context,
        document: &Document,
        raw: &str,
    ) -> CheckResult<ScriptGuard> {
        let (standins, status) = (cx.standins()?, 401);
        let (marker, retry_after_s) = ("the key is not good".to_owned(), None);
        Ok(match self {
            Self::Parser => {
                let behaviour = ParserBehaviour {
                    answer: ParserAnswer::Refuse {
                        status,
                        marker,
                        retry_after_s,
                    },
                    ..ParserBehaviour::default()
                };
                standins.script_parser(document.sha256(), behaviour).await?
            }
            Self::Embedder => {
                let behaviour = EmbedderBehaviour::Refuse {
                    status,
                    marker,
                    retry_after_s,
                };
                standins
                    .script_embedder(document.nonce(), behaviour)
                    .await?
            }
            Self::Storage => {
                let behaviour = StorageBehaviour::Refuse { status, marker };
                standins
                    .script_storage(format!("GET {raw}"), behaviour)
                    .await?
            }
        })
    }
}

/// What a job has left in the database, but for the secret that is its own.
const LEFT: &str = "SELECT to_jsonb(e) AS told FROM {schema}.events AS e WHERE job_id = $1 \
    UNION ALL SELECT jsonb_build_object('last_error', last_error) FROM {schema}.upload_jobs WHERE job_id = $1";

/// Where a key is refused, neither the user nor the rows are told which.
async fn an_error_tells_no_key(cx: &Context, case: &Refuser) -> CheckResult {
    let (contract, tenant) = (cx.contract(), cx.tenant()?);
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let raw = contract.raw_path(tenant.user_id, accepted.document_id);
    let script = case.refuse.begin(cx, &document, &raw).await?;
    let put = pipeline.put(&accepted.signed_url, document.bytes()).await?;
    ensure!(
        put.is_success(),
        "the address takes no bytes: {}",
        put.summary()
    );
    pipeline.until_final(&accepted).await?;
    let mut told = vec![
        pipeline.show(&accepted).await?.text(),
        pipeline.search(document.nonce(), 3).await?.text(),
    ];
    script.withdraw().await?;
    let rows: Vec<Value> = cx.database()?.rows(LEFT, &[accepted.job_id.into()]).await?;
    told.extend(rows.iter().map(Value::to_string));
    let told = Log {
        process: "the answers and rows of a job".to_owned(),
        text: told.join("\n"),
    };
    for (name, secret) in cx.secrets()? {
        ensure!(
            !told.reveals(secret),
            "what is told of a failed job holds {name}"
        );
    }
    Ok(())
}
