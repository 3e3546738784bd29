//! Resumption: a document that was interrupted in any status goes on from there, and is finished once.

use std::collections::HashSet;

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::contract::Completed;
use cutover_harness::invariant::{self, Scope};
use cutover_harness::prelude::*;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use cutover_suite_support::outcomes::expect_complete;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(an_interrupted_document_goes_on_from_any_status)
            .requires([Http, Database, Storage, Standins, Processes, WorkerStop])
            .reads([read::chunk::EMBEDDING, read::EVENTS])
            .effect(Effect::Fault)
            .expected_duration(secs(12))
            .severity(Critical)
            .alone_with_workers(1),
    ]
}

/// The documents that are processed at one moment.
const AT_ONCE: usize = 6;

/// A completed document, whose rows are put back to an earlier status.
struct Interrupted {
    pipeline: Pipeline,
    document: Document,
    done: Completed,
    status: String,
    /// Whether a worker that is gone holds the claim.
    abandoned: bool,
    finalized: usize,
    embedded: usize,
}

impl Interrupted {
    async fn complete(cx: &Context, status: &str, abandoned: bool) -> CheckResult<Self> {
        let (pipeline, document) = (cx.pipeline()?, cx.document().paragraphs(16).build());
        let done = pipeline.complete(&document).await?;
        Ok(Self {
            finalized: finalized(cx, &done).await?,
            embedded: embedded(cx, &document).await?.len(),
            pipeline,
            document,
            done,
            status: status.to_owned(),
            abandoned,
        })
    }

    /// The statements that put the rows back, as a crash in that status leaves them.
    fn put_back(&self, cx: &Context) -> String {
        let (document, job) = (self.done.document_id(), self.done.job_id());
        let statuses = &cx.contract().vocabulary.statuses;
        let rank = |status: &str| statuses.iter().position(|known| known == status);
        let is_before = |other: &str| rank(&self.status) < rank(other);
        let mut sql = Vec::new();
        if is_before("parsed") {
            sql.push(format!(
                "UPDATE {{schema}}.documents SET parsed_path = NULL, parsed_sha256 = NULL WHERE document_id = '{document}';"
            ));
        }
        if is_before("chunks_stored") {
            sql.push(format!(
                "DELETE FROM {{schema}}.document_chunks WHERE document_id = '{document}';"
            ));
        } else if is_before("embeddings_stored") {
            // In the middle of the embedding, every second chunk has its vector.
            let missing = if self.status == "embedding_in_progress" {
                "chunk_ord % 2 = 1"
            } else {
                "true"
            };
            sql.push(format!(
                "UPDATE {{schema}}.document_chunks SET embedding = NULL, vector_dim = NULL, embed_model = NULL,
                 embed_version = NULL, embed_updated_at = NULL WHERE document_id = '{document}' AND {missing};"
            ));
        }
        let claim = if self.abandoned {
            "state = 'working', claimed_by = 'worker-gone', claimed_at = now() - interval '1 hour',
             lease_expires_at = now() - interval '1 minute'"
        } else {
            "state = 'queued', claimed_by = NULL, claimed_at = NULL, lease_expires_at = NULL"
        };
        let status = &self.status;
        sql.push(format!(
            "UPDATE {{schema}}.documents SET processing_status = '{status}' WHERE document_id = '{document}';
             UPDATE {{schema}}.upload_jobs SET status = '{status}', {claim}, next_attempt_at = now()
             WHERE job_id = '{job}';"
        ));
        sql.concat()
    }

    /// The document is complete, was finalized once more, and no finished vector was computed again.
    async fn is_finished_once(&self, cx: &Context, missing: &HashSet<String>) -> CheckResult {
        let what = format!(
            "a document that was interrupted in '{}' ({})",
            self.status,
            if self.abandoned {
                "its worker died"
            } else {
                "back in the queue"
            }
        );
        let job = self.pipeline.until_final(&self.done.accepted).await?;
        ensure_eq!(
            job.status,
            cx.contract().vocabulary.complete,
            "{what} does not complete"
        );
        expect_complete(cx, &self.pipeline, &self.done.accepted, &self.document).await?;
        let again = finalized(cx, &self.done).await? - self.finalized;
        ensure_eq!(again, 1, "{what} was not finalized exactly once");
        let inputs = embedded(cx, &self.document).await?.split_off(self.embedded);
        let is_kept = self.status == "embedding_in_progress" || self.status == "embeddings_stored";
        let unneeded = inputs.iter().find(|text| !missing.contains(*text));
        ensure!(
            unneeded.is_none() || !is_kept,
            "for {what}, a chunk that had its vector was embedded again"
        );
        Ok(())
    }

    /// The texts of the chunks without a vector.
    async fn missing(&self, cx: &Context) -> CheckResult<HashSet<String>> {
        let chunks = cx.database()?.chunks_of(self.done.document_id()).await?;
        let without = chunks.iter().filter(|chunk| !chunk.has_vector());
        Ok(without.map(|chunk| chunk.text.clone()).collect())
    }
}

async fn finalized(cx: &Context, done: &Completed) -> CheckResult<usize> {
    let events = cx.database()?.events_of(done.job_id()).await?;
    let ends = events.iter().filter(|event| event.kind == "finalized");
    Ok(ends.count())
}

/// The texts that the embedder received for a document.
async fn embedded(cx: &Context, document: &Document) -> CheckResult<Vec<String>> {
    let calls = cx.standins()?.embedder_calls(document.nonce()).await?;
    Ok(calls.into_iter().flat_map(|call| call.inputs).collect())
}

/// Whatever status a document was left in, and whether its worker died or released it, it is finished once.
async fn an_interrupted_document_goes_on_from_any_status(cx: &Context) -> CheckResult {
    let vocabulary = &cx.contract().vocabulary;
    let under_way = vocabulary
        .statuses
        .iter()
        .filter(|status| **status != vocabulary.complete);
    let cases = under_way.flat_map(|status| [(status, false), (status, true)]);
    let interrupted = cases.map(|(status, abandoned)| Interrupted::complete(cx, status, abandoned));
    let interrupted = stream::iter(interrupted).buffered(AT_ONCE);
    let interrupted: Vec<_> = interrupted.try_collect().await?;
    cx.control(ControlAction::StopWorkers).await?;
    let database = cx.own_database()?;
    let mut missing = Vec::new();
    for each in &interrupted {
        database.execute(&each.put_back(cx)).await?;
        missing.push(each.missing(cx).await?);
    }
    cx.control(ControlAction::StartWorkers).await?;
    for (each, missing) in interrupted.iter().zip(&missing) {
        each.is_finished_once(cx, missing).await?;
    }
    let users = interrupted.iter().filter_map(|each| each.pipeline.tenant());
    let scope = Scope::users(users.map(|tenant| tenant.user_id));
    invariant::check(&cx.database()?, &cx.storage()?, cx.contract(), &scope).await
}
