//! What becomes of a hostile upload: it is refused clearly, or its job ends in bounded time.

use cutover_fixtures::documents::{HostileFile, Reading};
use cutover_harness::contract::{Accepted, Upload};
use cutover_harness::prelude::*;
use cutover_harness::standin::ParserBehaviour;

use crate::outcomes::expect_failure;
use crate::responses::expect_error_body;
use crate::texts::expect_whole_text;

/// How an upload ended.
#[derive(Debug)]
pub enum UploadEnd {
    /// The registration or the bytes were refused.
    Refused,
    /// Its job failed with a cause, and nothing is indexed.
    Failed,
    /// Its job is complete.
    Complete(Accepted),
}

/// Registers a document; nothing if it is refused with 4xx.
pub async fn register(
    cx: &Context,
    pipeline: &Pipeline,
    upload: &Upload,
) -> CheckResult<Option<Accepted>> {
    let contract = cx.contract();
    let reply = pipeline.register(upload).await?;
    if contract.statuses.accepted.include(reply.status) {
        return Accepted::read(&reply, contract).map(Some);
    }
    if contract.statuses.too_many.include(reply.status) {
        let problem = format!("the limit of uploads is reached: {}", reply.summary());
        return Err(anyhow::anyhow!(problem).into());
    }
    ensure!(
        (400..500).contains(&reply.status),
        "a registration is neither accepted nor refused: {}",
        reply.summary()
    );
    expect_error_body(&reply, contract)?;
    Ok(None)
}

/// Registers a document, uploads its bytes, and waits for the end. It is a refusal with 4xx, a failure with its cause
/// and without chunks, or a completed job.
pub async fn end_of(cx: &Context, pipeline: &Pipeline, upload: &Upload) -> CheckResult<UploadEnd> {
    let Some(accepted) = register(cx, pipeline, upload).await? else {
        return Ok(UploadEnd::Refused);
    };
    let put = pipeline
        .put(&accepted.signed_url, upload.bytes.clone())
        .await?;
    if (400..500).contains(&put.status) {
        return Ok(UploadEnd::Refused);
    }
    ensure!(
        put.is_success(),
        "the bytes of a document are neither accepted nor refused: {}",
        put.summary()
    );
    end_of_job(cx, pipeline, accepted).await
}

async fn end_of_job(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: Accepted,
) -> CheckResult<UploadEnd> {
    let vocabulary = &cx.contract().vocabulary;
    let job = pipeline.until_final(&accepted).await?;
    if vocabulary.is_failure(&job.status) {
        expect_failure(cx, pipeline, &accepted, &vocabulary.failures.parse).await?;
        let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
        ensure!(
            chunks.is_empty(),
            "a document that failed has {} chunks",
            chunks.len()
        );
        return Ok(UploadEnd::Failed);
    }
    ensure_eq!(
        job.status,
        vocabulary.complete,
        "a job ends in another status than complete or failed: {}",
        job.summary()
    );
    Ok(UploadEnd::Complete(accepted))
}

/// A hostile file is refused, fails with its cause, or is complete with the text of the parser, which got its exact
/// bytes. One that no parser reads does not complete.
///
/// The text is scripted where a parser may read the file: whether it can is not the pipeline's decision.
pub async fn expect_end(cx: &Context, file: &HostileFile) -> CheckResult {
    let (pipeline, upload) = (cx.pipeline()?, file.upload());
    if file.reading == Reading::Refused {
        let end = end_of(cx, &pipeline, &upload).await?;
        ensure!(
            !matches!(end, UploadEnd::Complete(_)),
            "a file that is no PDF is indexed as a document"
        );
        return Ok(());
    }
    let text = format!("# Policy\n\nThe text of {}\n", upload.sha256);
    let standins = cx.standins()?;
    let script = standins
        .script_parser(upload.sha256.clone(), ParserBehaviour::returning(&text))
        .await?;
    let end = end_of(cx, &pipeline, &upload).await;
    script.withdraw().await?;
    if let UploadEnd::Complete(accepted) = end? {
        expect_whole_text(cx, &pipeline, &accepted, &text).await?;
        let calls = standins.parser_calls(&upload.sha256).await?;
        ensure!(
            !calls.is_empty(),
            "the parser does not receive the exact bytes of the file"
        );
    }
    Ok(())
}
