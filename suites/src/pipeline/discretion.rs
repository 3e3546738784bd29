//! Discretion: what belongs to one user stays in that user's folder, and what is secret stays out of the logs.

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use cutover_harness::probe::Log;
use cutover_harness::standin::{ParserAnswer, ParserBehaviour, StorageCall};

/// The checks of this file.
pub(super) fn table() -> Vec<Check> {
    vec![
        check!(storage_is_asked_with_both_keys_and_for_the_owners_folder)
            .requires([Http, Standins])
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
    let name = file.split('.').next().unwrap_or(file);
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
