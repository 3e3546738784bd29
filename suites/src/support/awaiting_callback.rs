//! A document that waits for its callback, which the check then sends.

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Accepted, CallbackKeys, Proof};
use cutover_harness::prelude::*;
use cutover_harness::probe::Reply;
use cutover_harness::secret::Secret;
use cutover_harness::standin::{
    Callback, CallbackMoment, ParserBehaviour, ParserCall, ScriptGuard,
};
use serde_json::json;

use crate::support::outcomes::arrives_whole;

/// A document that the parser has and keeps silent about, and the keys that its callbacks are proven with.
pub(crate) struct Awaiting {
    pub(crate) pipeline: Pipeline,
    pub(crate) document: Document,
    pub(crate) accepted: Accepted,
    pub(crate) keys: CallbackKeys,
    // Only the first submission stays unanswered: should it take too long until the
    // check answers it, the next one is served.
    script: ScriptGuard,
}

/// What callbacks about a submission are proven with, by the rules of the contract.
pub(crate) fn keys_for(cx: &Context, call: &ParserCall) -> CheckResult<CallbackKeys> {
    let rules = &cx.contract().callback;
    let mut keys = CallbackKeys::default();
    if rules.auth.signs() {
        let secret = call.fields.get(&rules.secret_field);
        let secret = secret.map(String::as_str).unwrap_or_default();
        ensure!(
            !secret.is_empty(),
            "the parser was not given the secret to sign its callback with"
        );
        keys.secret = Some(Secret::new(secret));
    }
    if rules.auth.has_token() {
        keys.token = Some(cx.callback_token()?.clone());
    }
    Ok(keys)
}

/// A question about signatures does not apply where callbacks carry nothing but a static secret.
pub(crate) fn are_signed(cx: &Context) -> CheckResult {
    if cx.contract().callback.auth.signs() {
        return Ok(());
    }
    Err(Stop::not_applicable(
        "the callbacks of this target are not signed: its static secret says nothing of job and body",
    ))
}

impl Awaiting {
    pub(crate) async fn new(cx: &Context) -> CheckResult<Self> {
        let document = cx.document().build();
        Self::with(cx, document).await
    }

    /// Waits in the same way for a document of the caller's.
    pub(crate) async fn with(cx: &Context, document: Document) -> CheckResult<Self> {
        let pipeline = cx.pipeline()?;
        let standins = cx.standins()?;
        let callback = Callback {
            moment: CallbackMoment::Never,
            ..Callback::default()
        };
        let silence = ParserBehaviour {
            callback,
            ..ParserBehaviour::default()
        };
        let script = standins.script_parser(document.sha256(), silence);
        let script = script.times(1).await?;
        let accepted = pipeline.upload(&document).await?;
        let within = cx.contract().timing.complete_within;
        let call = cx
            .eventually("the parser is given the document", within, async || {
                let calls = standins.parser_calls(document.sha256()).await?;
                Ok(calls.into_iter().next())
            })
            .await?;
        Ok(Self {
            pipeline,
            document,
            accepted,
            keys: keys_for(cx, &call)?,
            script,
        })
    }

    /// The right proof that a body is the parser's.
    pub(crate) fn proof(&self, body: &str) -> Proof {
        self.keys.proof(body.as_bytes())
    }

    pub(crate) async fn calls_back(&self, body: &str, proof: &Proof) -> CheckResult<Reply> {
        let job = self.accepted.job_id;
        self.pipeline.callback(job, body, proof).await
    }

    /// Calls back with a text, rightly proven, as the parser would have.
    pub(crate) async fn is_given(&self, text: &str) -> CheckResult {
        let body = json!({"status": "completed", "md": text}).to_string();
        self.calls_back(&body, &self.proof(&body))
            .await?
            .expect_status(200)?;
        Ok(())
    }

    /// What the parser truly says still counts, and nothing that came before it does.
    pub(crate) async fn goes_on(self, cx: &Context) -> CheckResult {
        self.is_given(&self.document.expected_text()).await?;
        self.arrives(cx).await
    }

    /// The document arrives.
    pub(crate) async fn arrives(self, cx: &Context) -> CheckResult {
        arrives_whole(cx, &self.pipeline, &self.accepted, &self.document).await?;
        Ok(self.script.withdraw().await?)
    }
}
