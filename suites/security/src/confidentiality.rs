//! Confidentiality: storage access stays in the owner's folder, and secrets and texts are not logged or exposed.

use std::time::Duration;

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Read;
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
            .only_where([Condition::RAW_PATH])
            .requires([Http, Standins])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(only_the_parser_gets_the_callback_secret)
            .only_where([Condition::AUTHENTICATED_CALLBACKS])
            .requires([Http, Standins])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(probes_are_not_cached_and_tell_no_secret)
            .requires([Http, Logs])
            .effect(Effect::Read)
            .severity(High),
        check!(probes_name_no_user)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(an_error_tells_no_key, KEY_REJECTIONS)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Database, Standins, Logs])
            .reads([read::EVENTS.if_given(), read::job::LAST_ERROR.if_given()])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(log_lines_carry_job_and_request_ids)
            .only_where([Condition::LOG_LINES])
            .requires([Http, Logs])
            .calls([Endpoint::Job])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(nothing_confidential_is_logged)
            .requires([Http, Standins, Logs])
            .effect(Effect::WriteTenant)
            .severity(Critical)
            .last(),
    ]
}

/// Every storage request of the service has the auth headers of the contract and an object in the owner's folder.
async fn storage_is_asked_with_both_keys_and_for_the_owners_folder(cx: &Context) -> CheckResult {
    let (contract, tenant) = (cx.contract(), cx.tenant()?);
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let done = pipeline.complete(&document).await?;
    if cx.contract().has(Endpoint::DeleteDocument) {
        pipeline.delete(done.document_id()).await?;
    }
    let path = contract.raw_path(tenant.user_id, done.document_id());
    let user = tenant.user_id.to_string();
    let (Some((folder, _)), Some((_, file))) = (path.split_once(&user), path.rsplit_once('/'))
    else {
        return Err(Stop::not_applicable(
            "the contract does not define a folder per user",
        ));
    };
    let folder = format!("{folder}{user}/");
    // A file name that all documents share does not identify this one.
    let own = contract.raw_path(tenant.user_id, Uuid::nil());
    let is_own = own.rsplit('/').next() != Some(file);
    let name = file.split('.').next().filter(|_| is_own).unwrap_or(&user);
    let standins = cx.standins()?;
    let mut calls = standins.storage_calls(&user).await?;
    calls.extend(standins.storage_calls(name).await?);
    let by_service = |call: &&StorageCall| !call.signed;
    ensure!(
        calls.iter().any(|call| by_service(&call)),
        "the service sent no storage request about a complete document"
    );
    for call in calls.iter().filter(by_service) {
        let StorageCall { method, object, .. } = call;
        ensure!(
            (call.has_apikey || !contract.storage.apikey) && call.has_authorization,
            "{method} {object} has apikey: {}, Authorization: {}",
            call.has_apikey,
            call.has_authorization
        );
        ensure!(
            object.starts_with(&folder),
            "{method} {object} is outside the owner's folder {folder}"
        );
    }
    Ok(())
}

/// The length from which a line of a document is specific to it.
const SPECIFIC: usize = 24;

/// No key, token or text of a document is logged, whether the document completes or fails.
async fn nothing_confidential_is_logged(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let good = cx.document().paragraphs(6).build();
    let done = pipeline.complete(&good).await?;
    let bad = cx.document().paragraphs(6).build();
    upload_failing(cx, &pipeline, &bad).await?;
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
        let signature = done.accepted.signed_url.query().unwrap_or_default();
        ensure!(
            signature.is_empty() || log.line_with(signature).is_none(),
            "{} has logged a signed URL",
            log.process
        );
        for document in [&good, &bad] {
            expect_no_text(log, document)?;
        }
    }
    expect_no_callback_secret(cx, &logs).await
}

/// Uploads a document that the parser rejects, and waits for its failure.
async fn upload_failing(cx: &Context, pipeline: &Pipeline, document: &Document) -> CheckResult {
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

fn expect_no_text(log: &Log, document: &Document) -> CheckResult {
    let text = document.expected_text();
    let specific = text.lines().filter(|line| line.len() >= SPECIFIC);
    for words in specific.chain(["%PDF-"]) {
        ensure!(
            log.line_with(words).is_none(),
            "{} has logged text of a document",
            log.process
        );
    }
    Ok(())
}

/// No callback secret of this run was logged.
async fn expect_no_callback_secret(cx: &Context, logs: &[Log]) -> CheckResult {
    let field = &cx.contract().callback.secret_field;
    let calls = cx.standins()?.parser_calls("").await?;
    let secrets = calls.iter().filter_map(|call| call.fields.get(field));
    for secret in secrets.filter(|secret| !secret.is_empty()) {
        for log in logs {
            ensure!(
                log.line_with(secret).is_none(),
                "{} has logged a callback secret",
                log.process
            );
        }
    }
    Ok(())
}

/// The least length of a secret.
const MIN_SECRET: usize = 16;

/// The callback secret is in no response, and cannot be derived from ids and hashes that the owner knows.
async fn only_the_parser_gets_the_callback_secret(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let done = pipeline.complete(&document).await?;
    let (job, id) = (done.job_id(), done.document_id());
    let calls = cx.standins()?.parser_calls(document.sha256()).await?;
    let Some(call) = calls.first() else {
        return Err(Stop::violated(Finding::new(
            "the parser did not receive a document that is complete",
        )));
    };
    let keys = callback_keys(cx, call)?;
    let secrets = [keys.secret, keys.token, keys.url_token];
    let known = [job, id, tenant.user_id].map(|id| id.to_string());
    let known: Vec<_> = known
        .iter()
        .map(String::as_str)
        .chain([document.sha256()])
        .collect();
    for secret in secrets.iter().flatten() {
        ensure!(
            secret.expose().len() >= MIN_SECRET
                && !known.iter().any(|word| reveals_secret(word, secret)),
            "the callback secret can be derived by the owner of the document"
        );
    }
    for answer in [
        pipeline.show(&done.accepted).await,
        pipeline.jobs(&[]).await,
        pipeline.document(id).await,
        pipeline.register(document.upload()).await,
    ] {
        // Absent routes are skipped.
        let reply = match answer {
            Err(Stop::Skip { .. }) => continue,
            answer => answer?,
        };
        let shown = reply.text();
        let mut secrets = secrets.iter().flatten();
        ensure!(
            !secrets.any(|secret| shown.contains(secret.expose())),
            "{} exposes the callback secret",
            reply.request
        );
    }
    Ok(())
}

/// Whether a secret is a known value, its hash, or a part of either.
fn reveals_secret(word: &str, secret: &Secret) -> bool {
    let (plain, secret) = (word.replace('-', ""), secret.expose().to_lowercase());
    let [hash, hash_of_plain] = [word, &plain].map(|word| hex::encode(Sha256::digest(word)));
    [word, &plain, &hash, &hash_of_plain]
        .into_iter()
        .any(|made| {
            let made = made.to_lowercase();
            made.contains(&secret) || secret.contains(&made)
        })
}

/// The routes that say something about the service itself.
const PROBES: [Endpoint; 4] = [
    Endpoint::Health,
    Endpoint::Ready,
    Endpoint::Version,
    Endpoint::Metrics,
];

/// Probe endpoints are not cacheable and contain no secret.
async fn probes_are_not_cached_and_tell_no_secret(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    for probe in PROBES.into_iter().filter(|probe| cx.contract().has(*probe)) {
        let reply = pipeline.ask(probe, pipeline.request(probe, "")?).await?;
        let cached = reply.header("cache-control").unwrap_or_default();
        ensure!(
            cached.contains("no-store") || !cx.contract().responses.probes_no_store,
            "the response to {} is cacheable: Cache-Control is '{cached}'",
            reply.request
        );
        let text = Log {
            process: reply.request.clone(),
            text: reply.text(),
        };
        for (name, secret) in cx.secrets()? {
            ensure!(!text.reveals(secret), "{} exposes {name}", reply.request);
        }
    }
    Ok(())
}

/// Log lines have the format of the contract, and carry the ids of job, document and request that it promises.
async fn log_lines_carry_job_and_request_ids(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    let done = pipeline.complete(&document).await?;
    let reply = pipeline.job(done.job_id()).await?.expect_status(200)?;
    let request = reply.header("x-request-id").unwrap_or_default().to_owned();
    let (job, id) = (done.job_id().to_string(), done.document_id().to_string());
    let form = &cx.contract().log_lines;
    cx.eventually("the logs contain the ids", LOGGED_WITHIN, async || {
        let (mut has_job, mut has_request) = (false, request.is_empty());
        for log in cx.logs()?.read().await? {
            // The last line may not be complete yet.
            let complete = log.text.rfind('\n').map_or("", |end| &log.text[..end]);
            for line in complete.lines().filter(|line| !line.trim().is_empty()) {
                let Some(line) = form.read(line) else {
                    let summary = format!("{} writes log lines that are not JSON", log.process);
                    return Err(Stop::violated(
                        Finding::new(summary).comparing("a line of JSON", line),
                    ));
                };
                has_job |= line.has(&form.job_id, &job) && line.has(&form.document_id, &id);
                has_request |= line.has(&form.request_id, &request);
            }
        }
        let missing = format!("job: {has_job}, request: {has_request}");
        Ok(if has_job && has_request {
            Poll::Ready(())
        } else {
            Poll::Pending(missing)
        })
    })
    .await
}

/// How long a process may buffer its log lines.
const LOGGED_WITHIN: Duration = Duration::from_secs(10);

/// Prefixes of database addresses.
const ADDRESSES: [&str; 2] = ["postgres://", "postgresql://"];

/// Probe endpoints contain no user, document or database address, whatever was uploaded.
async fn probes_name_no_user(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let id = pipeline.complete(&document).await?.document_id();
    let (user, id) = (tenant.user_id.to_string(), id.to_string());
    let words = [user.as_str(), &id, &tenant.email, document.nonce()];
    let pipeline = pipeline.anonymous();
    for probe in PROBES.into_iter().filter(|probe| cx.contract().has(*probe)) {
        let reply = pipeline.ask(probe, pipeline.request(probe, "")?).await?;
        let text = reply.text();
        let mut found = words.into_iter().chain(ADDRESSES);
        if let Some(word) = found.find(|word| !word.is_empty() && text.contains(word)) {
            let summary = format!("{} exposes {word}", reply.request);
            return Err(Stop::violated(Finding::new(summary)));
        }
    }
    Ok(())
}

/// A provider that rejects the key of the service.
pub(super) struct KeyRejection {
    name: &'static str,
    provider: Provider,
}

enum Provider {
    Parser,
    Embedder,
    Storage,
}

impl Named for KeyRejection {
    fn name(&self) -> &'static str {
        self.name
    }
}

const KEY_REJECTIONS: &[KeyRejection] = &[
    KeyRejection {
        name: "of_the_parser",
        provider: Provider::Parser,
    },
    KeyRejection {
        name: "of_the_embedder",
        provider: Provider::Embedder,
    },
    KeyRejection {
        name: "of_storage",
        provider: Provider::Storage,
    },
];

impl Provider {
    async fn reject_key(
        &self,
        cx: &Context,
        document: &Document,
        raw: &str,
    ) -> CheckResult<ScriptGuard> {
        let (standins, status) = (cx.standins()?, 401);
        let (marker, retry_after_s) = ("the key is invalid".to_owned(), None);
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

/// The events of a job, and its error, without its callback secret.
const ERROR_ROWS: [(Read, &str); 2] = [
    (
        read::EVENTS,
        "SELECT to_jsonb(e) AS content FROM {schema}.events AS e WHERE job_id = $1",
    ),
    (
        read::job::LAST_ERROR,
        "SELECT jsonb_build_object('last_error', last_error) AS content FROM {schema}.upload_jobs WHERE job_id = $1",
    ),
];

/// If a provider rejects the key of the service, the key is in no response and no row.
async fn an_error_tells_no_key(cx: &Context, case: &KeyRejection) -> CheckResult {
    let (contract, tenant) = (cx.contract(), cx.tenant()?);
    let document = cx.document().build();
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let raw = contract.raw_path(tenant.user_id, accepted.document_id);
    let script = case.provider.reject_key(cx, &document, &raw).await?;
    let put = pipeline.put(&accepted.signed_url, document.bytes()).await?;
    ensure!(
        put.is_success(),
        "the signed URL accepts no bytes: {}",
        put.summary()
    );
    pipeline.until_final(&accepted).await?;
    let mut text = Vec::new();
    if contract.has(Endpoint::Job) {
        text.push(pipeline.show(&accepted).await?.text());
    }
    if contract.has(Endpoint::Search) {
        text.push(pipeline.search(document.nonce(), 3).await?.text());
    }
    script.withdraw().await?;
    for (read, query) in ERROR_ROWS {
        if contract.database.has(read) {
            let rows: Vec<Value> = cx
                .database()?
                .rows(query, &[accepted.job_id.into()])
                .await?;
            text.extend(rows.iter().map(Value::to_string));
        }
    }
    let text = Log {
        process: "the answers and rows of a job".to_owned(),
        text: text.join("\n"),
    };
    for (name, secret) in cx.secrets()? {
        ensure!(
            !text.reveals(secret),
            "the error of a failed job exposes {name}"
        );
    }
    Ok(())
}
