//! A document that waits for its callback, which the check then sends.

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Accepted, Contract};
use cutover_harness::prelude::*;
use cutover_harness::probe::Reply;
use cutover_harness::secret::Secret;
use cutover_harness::standin::{Callback, CallbackMoment, ParserBehaviour, ScriptGuard};
use serde_json::json;

use super::ending::arrives_whole;

/// A document that the parser has and keeps silent about, and the secret it signs with.
pub(super) struct Awaiting {
    pub(super) pipeline: Pipeline,
    pub(super) document: Document,
    pub(super) accepted: Accepted,
    pub(super) secret: Secret,
    // Only the first submission stays unanswered: should it take too long until the
    // check answers it, the next one is served.
    script: ScriptGuard,
}

impl Awaiting {
    pub(super) async fn new(cx: &Context) -> CheckResult<Self> {
        if !cx.contract().callback.auth.signs() {
            return Err(Stop::not_applicable(
                "the callbacks of this target are not signed",
            ));
        }
        let document = cx.document().build();
        Self::with(cx, document).await
    }

    /// Waits in the same way for a document of the caller's.
    pub(super) async fn with(cx: &Context, document: Document) -> CheckResult<Self> {
        let rules = &cx.contract().callback;
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
        let secret = call.fields.get(&rules.secret_field).cloned();
        let secret = secret.unwrap_or_default();
        ensure!(
            !secret.is_empty(),
            "the parser was not given the secret to sign its callback with"
        );
        Ok(Self {
            pipeline,
            document,
            accepted,
            secret: Secret::new(secret),
            script,
        })
    }

    pub(super) fn sign(&self, body: &str) -> String {
        Contract::signature(&self.secret, body.as_bytes())
    }

    pub(super) async fn calls_back(
        &self,
        body: &str,
        signature: Option<&str>,
    ) -> CheckResult<Reply> {
        let job = self.accepted.job_id;
        self.pipeline.callback(job, body, signature).await
    }

    /// Calls back with a text, rightly signed, as the parser would have.
    pub(super) async fn is_given(&self, text: &str) -> CheckResult {
        let body = json!({"status": "completed", "md": text}).to_string();
        self.calls_back(&body, Some(&self.sign(&body)))
            .await?
            .expect_status(200)?;
        Ok(())
    }

    /// What the parser truly says still counts, and nothing that came before it does.
    pub(super) async fn goes_on(self, cx: &Context) -> CheckResult {
        self.is_given(&self.document.expected_text()).await?;
        self.arrives(cx).await
    }

    /// The document arrives.
    pub(super) async fn arrives(self, cx: &Context) -> CheckResult {
        arrives_whole(cx, &self.pipeline, &self.accepted, &self.document).await?;
        Ok(self.script.withdraw().await?)
    }
}
