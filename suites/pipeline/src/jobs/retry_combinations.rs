//! Retry combinations: what was asked for at registration holds for every attempt, however it fails and is repeated.

use std::collections::BTreeMap;

use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Accepted, Upload};
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    Callback, CallbackStatus, EmbedderBehaviour, ParserAnswer, ParserBehaviour, ParserCall,
};
use futures::future::try_join_all;
use serde_json::json;

use cutover_suite_support::findings::about;
use cutover_suite_support::outcomes::{expect_complete, give_up_within};
use cutover_suite_support::pairwise;
use cutover_suite_support::texts;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(every_attempt_keeps_what_was_registered)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::NAME_AND_TEXT)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(5))
            .severity(High),
    ]
}

/// How the first attempt fails.
const FAILURES: [&str; 4] = [
    "refused_by_parser",
    "parser_unavailable",
    "failed_callback",
    "refused_by_embedder",
];
/// How the document is tried again where the pipeline does not do so itself.
const WAYS: [&str; 2] = ["retry", "upload_again"];
const OCR: [bool; 2] = [false, true];
const NAMES: [&str; 3] = [
    "plain.pdf",
    "\u{dc}ber \"x\"; y=1 \u{4fdd}\u{967a}.pdf",
    "100%25 a&b.PDF",
];

/// Combinations at a time, each of another user.
const AT_ONCE: usize = 4;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
struct Combination {
    failure: &'static str,
    way: &'static str,
    ocr: bool,
    name: &'static str,
}

/// For every pair of failure, repetition, option and name: the submissions agree, and the document completes.
async fn every_attempt_keeps_what_was_registered(cx: &Context) -> CheckResult {
    let seed = u64::from_le_bytes(cx.random());
    let rows = pairwise::rows(&[FAILURES.len(), WAYS.len(), OCR.len(), NAMES.len()], seed);
    let combination = |row: Vec<usize>| Combination {
        failure: FAILURES[row[0]],
        way: WAYS[row[1]],
        ocr: OCR[row[2]],
        name: NAMES[row[3]],
    };
    let rows: Vec<_> = rows.into_iter().map(combination).collect();
    cx.observe(
        "pairs",
        format!("{} combinations from seed {seed}", rows.len()),
        json!(
            rows.iter()
                .map(|row| format!("{row:?}"))
                .collect::<Vec<_>>()
        ),
    );
    let plain = &[
        plain_options(cx, false).await?,
        plain_options(cx, true).await?,
    ];
    for rows in rows.chunks(AT_ONCE) {
        try_join_all(rows.iter().map(|row| async move {
            expect_kept(cx, row, plain)
                .await
                .map_err(|stop| about(&format!("{row:?}"), stop))
        }))
        .await?;
    }
    Ok(())
}

async fn expect_kept(
    cx: &Context,
    row: &Combination,
    plain: &[BTreeMap<String, String>; 2],
) -> CheckResult {
    let document = cx.document().build();
    let mut upload = document.upload().clone();
    row.name.clone_into(&mut upload.filename);
    upload.ocr = row.ocr;
    let pipeline = cx.pipeline()?;
    let first = fail_once(cx, &pipeline, &document, &upload, row).await?;
    let accepted = try_again(cx, &pipeline, &first, &upload, row).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    let calls = cx.standins()?.parser_calls(document.sha256()).await?;
    let [one, others @ ..] = calls.as_slice() else {
        return Err(Stop::violated(Finding::new(
            "the parser received no document",
        )));
    };
    let expected = options(cx, one);
    for other in others {
        ensure_eq!(
            options(cx, other),
            expected,
            "a later submission has other options than the first"
        );
        ensure_eq!(other.bytes, one.bytes, "a later submission has other bytes");
        ensure_eq!(
            other.file_content_type,
            one.file_content_type,
            "a later submission has another type"
        );
    }
    ensure_eq!(
        expected,
        plain[usize::from(row.ocr)],
        "the options of a document that failed once differ from those of one that did not"
    );
    let found = cx.database()?.document(accepted.document_id).await?;
    let name = found.and_then(|row| row.filename).unwrap_or_default();
    ensure_eq!(
        name,
        row.name,
        "the document has another name after a later attempt"
    );
    Ok(())
}

/// The fields of a submission that are the same for every attempt.
fn options(cx: &Context, call: &ParserCall) -> BTreeMap<String, String> {
    let mut fields = call.fields.clone();
    for own in ["webhook_url", &cx.contract().callback.secret_field] {
        fields.remove(own);
    }
    fields
}

/// The options of a document that was registered with this option and completes at once.
async fn plain_options(cx: &Context, ocr: bool) -> CheckResult<BTreeMap<String, String>> {
    let document = cx.document().build();
    let mut upload = document.upload().clone();
    upload.ocr = ocr;
    cx.pipeline()?.complete(upload).await?;
    let calls = cx.standins()?.parser_calls(document.sha256()).await?;
    Ok(calls
        .first()
        .map(|call| options(cx, call))
        .unwrap_or_default())
}

/// Uploads the document and lets its first attempt fail.
async fn fail_once(
    cx: &Context,
    pipeline: &Pipeline,
    document: &Document,
    upload: &Upload,
    row: &Combination,
) -> CheckResult<Accepted> {
    let standins = cx.standins()?;
    let marker = "rejected by the check".to_owned();
    if row.failure == "refused_by_embedder" {
        let refusal = EmbedderBehaviour::Refuse {
            status: 400,
            marker,
            retry_after_s: None,
        };
        let script = standins
            .script_embedder(document.nonce(), refusal)
            .times(1)
            .await?;
        let accepted = pipeline.upload(upload.clone()).await?;
        pipeline.until_final(&accepted).await?;
        script.withdraw().await?;
        return Ok(accepted);
    }
    let status = if row.failure == "parser_unavailable" {
        503
    } else {
        422
    };
    let behaviour = if row.failure == "failed_callback" {
        let status = CallbackStatus::Failed { error: marker };
        ParserBehaviour::calling_back(Callback {
            status,
            ..Callback::default()
        })
    } else {
        ParserBehaviour {
            answer: ParserAnswer::Refuse {
                status,
                marker,
                retry_after_s: None,
            },
            ..ParserBehaviour::default()
        }
    };
    let script = standins
        .script_parser(document.sha256(), behaviour)
        .times(1)
        .await?;
    let accepted = pipeline.upload(upload.clone()).await?;
    let vocabulary = &cx.contract().vocabulary;
    let within = give_up_within(cx.contract());
    let ended = |job: &cutover_harness::contract::JobView| {
        vocabulary.is_final(&job.status, job.state.as_deref())
    };
    pipeline
        .until(&accepted, "the first attempt ends", within, ended)
        .await?;
    script.withdraw().await?;
    Ok(accepted)
}

/// Tries a failed document again in the way of the row; a complete one was retried by the pipeline.
async fn try_again(
    cx: &Context,
    pipeline: &Pipeline,
    first: &Accepted,
    upload: &Upload,
    row: &Combination,
) -> CheckResult<Accepted> {
    let job = pipeline.view(first).await?;
    if job.status == cx.contract().vocabulary.complete {
        return Ok(first.clone());
    }
    if row.way == "upload_again" || !cx.contract().has(Endpoint::Retry) {
        return pipeline.upload(upload.clone()).await;
    }
    pipeline
        .retry(first.job_id)
        .await?
        .expect_status(&cx.contract().statuses.retried)?;
    Ok(first.clone())
}
