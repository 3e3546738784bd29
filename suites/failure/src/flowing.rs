//! Documents in several stages at one moment, and the proof that each of them completes exactly once.

use std::collections::BTreeSet;

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Accepted, Read};
use cutover_harness::invariant::{self, Scope};
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    Callback, CallbackMoment, EmbedderBehaviour, ParserAnswer, ParserBehaviour, ScriptGuard,
};
use futures::future::try_join_all;

use crate::crash_recovery::expect_no_repeated_step;
use cutover_suite_support::idle_transactions;
use cutover_suite_support::outcomes::expect_complete;

/// What [`all_complete_once`] reads.
pub(crate) const READS: [Read; 5] = [
    read::DOCUMENTS,
    read::JOBS,
    read::CHUNKS,
    read::chunk::EMBEDDING.if_given(),
    read::event::CODE,
];

/// A document on its way through the pipeline, and the client of its owner.
pub(crate) struct Flowing {
    pub(crate) document: Document,
    pub(crate) pipeline: Pipeline,
    pub(crate) accepted: Accepted,
    /// What delays its provider.
    pub(crate) script: Option<ScriptGuard>,
    /// How often its job was finalized before.
    pub(crate) finalized: usize,
}

impl Flowing {
    /// A document that is registered, and whose bytes are missing.
    pub(crate) async fn registered(cx: &Context) -> CheckResult<Self> {
        Self::register(cx, cx.document().paragraphs(8).build()).await
    }

    async fn register(cx: &Context, document: Document) -> CheckResult<Self> {
        let pipeline = cx.pipeline()?;
        let accepted = pipeline.accept(document.upload()).await?;
        Ok(Self::accepted(&pipeline, document, accepted))
    }

    /// A document whose registration was accepted.
    pub(crate) fn accepted(pipeline: &Pipeline, document: Document, accepted: Accepted) -> Self {
        Self {
            document,
            pipeline: pipeline.through_outages(),
            accepted,
            script: None,
            finalized: 0,
        }
    }

    /// A document whose bytes have just arrived.
    pub(crate) async fn uploaded(cx: &Context) -> CheckResult<Self> {
        let flowing = Self::registered(cx).await?;
        flowing.deliver().await?;
        Ok(flowing)
    }

    /// A document whose worker waits for the answer to its submission, which is this late.
    pub(crate) async fn submitted(cx: &Context, delay_ms: u64) -> CheckResult<Self> {
        let answer = ParserAnswer::Late { delay_ms };
        let behaviour = ParserBehaviour {
            answer,
            ..ParserBehaviour::default()
        };
        Self::parsing(cx, behaviour).await
    }

    /// A document that waits for the parser's callback, which is this late.
    pub(crate) async fn awaiting_callback(cx: &Context, delay_ms: u64) -> CheckResult<Self> {
        let moment = CallbackMoment::Late { delay_ms };
        let callback = Callback {
            moment,
            ..Callback::default()
        };
        Self::parsing(cx, ParserBehaviour::calling_back(callback)).await
    }

    async fn parsing(cx: &Context, behaviour: ParserBehaviour) -> CheckResult<Self> {
        let standins = cx.standins()?;
        let document = cx.document().paragraphs(8).build();
        let script = standins.script_parser(document.sha256(), behaviour);
        let script = script.times(1).await?;
        let mut flowing = Self::register(cx, document).await?;
        flowing.script = Some(script);
        flowing.deliver().await?;
        let within = cx.contract().timing.complete_within;
        cx.eventually("the parser receives the document", within, async || {
            let calls = standins.parser_calls(flowing.document.sha256()).await?;
            Ok((!calls.is_empty()).then_some(()))
        })
        .await?;
        Ok(flowing)
    }

    /// A document whose worker waits for the embedder, which is this late.
    pub(crate) async fn embedding(cx: &Context, delay_ms: u64) -> CheckResult<Self> {
        let standins = cx.standins()?;
        let document = cx.document().paragraphs(8).build();
        let late = EmbedderBehaviour::Late { delay_ms };
        let script = standins.script_embedder(document.nonce(), late).times(1);
        let script = script.await?;
        let mut flowing = Self::register(cx, document).await?;
        flowing.script = Some(script);
        flowing.deliver().await?;
        let within = cx.contract().timing.complete_within;
        cx.eventually("the embedder is called", within, async || {
            let calls = standins.embedder_calls(flowing.document.nonce()).await?;
            Ok((!calls.is_empty()).then_some(()))
        })
        .await?;
        Ok(flowing)
    }

    /// Uploads the bytes.
    pub(crate) async fn deliver(&self) -> CheckResult {
        let upload = self.document.upload();
        self.pipeline.deliver(&self.accepted, upload).await
    }

    /// The document completes with its whole text, was finalized once, and was not submitted more often than its
    /// attempts allow.
    async fn completes_once(&self, cx: &Context) -> CheckResult {
        self.pipeline.until_complete(&self.accepted).await?;
        expect_complete(cx, &self.pipeline, &self.accepted, &self.document).await?;
        let events = cx.database()?.events_of(self.accepted.job_id).await?;
        let ends = events.iter().filter(|event| event.kind == "finalized");
        ensure_eq!(
            ends.count(),
            self.finalized + 1,
            "a job was not finalized exactly once"
        );
        expect_no_repeated_step(&events)?;
        let most = 1 + cx.contract().timing.max_retries as usize;
        let calls = cx.standins()?.parser_calls(self.document.sha256()).await?;
        ensure!(
            calls.len() <= most,
            "a document was submitted to the parser {} times, more often than its {most} attempts allow",
            calls.len()
        );
        Ok(())
    }

    /// The document completes without a second call of a provider, and no attempt of it counts as failed.
    pub(crate) async fn completes_undisturbed(&self, cx: &Context) -> CheckResult {
        let job = self.pipeline.until_complete(&self.accepted).await?;
        let retries = job.retry_count.unwrap_or_default();
        ensure_eq!(retries, 0, "a document counts a failed attempt");
        let standins = cx.standins()?;
        let submitted = standins.parser_calls(self.document.sha256()).await?.len();
        ensure_eq!(
            submitted,
            1,
            "a document was not submitted to the parser exactly once"
        );
        let embedded = standins.embedder_calls(self.document.nonce()).await?.len();
        ensure_eq!(embedded, 1, "a document was not embedded exactly once");
        Ok(())
    }
}

/// Every document completes exactly once, and the invariants hold for all their owners.
pub(crate) async fn all_complete_once(cx: &Context, documents: &[Flowing]) -> CheckResult {
    try_join_all(documents.iter().map(|each| each.completes_once(cx))).await?;
    let users = documents.iter().filter_map(|each| each.pipeline.tenant());
    let scope = Scope::users(users.map(|tenant| tenant.user_id));
    invariant::check(&cx.database()?, &cx.storage()?, cx.contract(), &scope).await
}

/// No transaction of the services stays open and idle. For a stack of the check's own.
pub(crate) async fn expect_no_idle_transaction(cx: &Context) -> CheckResult {
    idle_transactions::expect_no_idle_transaction(cx, &BTreeSet::new()).await
}
