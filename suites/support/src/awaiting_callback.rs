//! A document whose parser stays silent, so that the check sends the callback itself.

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::contract::{Accepted, CallbackKeys, Endpoint, Proof};
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::secret::Secret;
use cutover_harness::standin::{ParserBehaviour, ParserCall, ScriptGuard};
use serde_json::json;

use crate::outcomes::expect_complete;

/// A document that was submitted to a silent parser, and the keys that authenticate its callbacks.
pub struct AwaitingCallback {
    /// The client of the document's owner.
    pub pipeline: Pipeline,
    /// The document.
    pub document: Document,
    /// The response to its registration.
    pub accepted: Accepted,
    /// The keys that authenticate its callbacks.
    pub keys: CallbackKeys,
    // Covers the first submission only: if the check answers too late and the pipeline
    // submits again, the stand-in answers normally.
    script: ScriptGuard,
}

/// The keys that authenticate callbacks about a submission, by the rules of the contract.
pub fn callback_keys(cx: &Context, call: &ParserCall) -> CheckResult<CallbackKeys> {
    let rules = &cx.contract().callback;
    let mut keys = CallbackKeys::default();
    if rules.auth.signs() {
        let secret = call.fields.get(&rules.secret_field);
        let secret = secret.map(String::as_str).unwrap_or_default();
        ensure!(
            !secret.is_empty(),
            "the submission to the parser contains no callback secret"
        );
        keys.secret = Some(Secret::new(secret));
    }
    if rules.auth.has_token() {
        keys.token = Some(cx.callback_token()?.clone());
    }
    if rules.auth.is_in_url() {
        let url = call.fields.get("webhook_url").map(String::as_str);
        let route = cx.contract().route(Endpoint::Callback);
        let route = route.map_or("", |route| &route.path);
        keys.url_token = rules.token_of(url.unwrap_or_default(), route);
        ensure!(
            keys.url_token.is_some(),
            "the callback URL of a submission to the parser contains no token"
        );
    }
    Ok(keys)
}

impl AwaitingCallback {
    /// Uploads a generated document and waits for its submission to the parser.
    pub async fn new(cx: &Context) -> CheckResult<Self> {
        let document = cx.document().build();
        Self::with(cx, document).await
    }

    /// Uploads this document and waits for its submission to the parser.
    pub async fn with(cx: &Context, document: Document) -> CheckResult<Self> {
        let pipeline = cx.pipeline()?;
        let standins = cx.standins()?;
        let silence = ParserBehaviour::silent();
        let script = standins.script_parser(document.sha256(), silence);
        let script = script.times(1).await?;
        let accepted = pipeline.upload(&document).await?;
        let within = cx.contract().timing.complete_within;
        let call = cx
            .eventually("the parser receives the document", within, async || {
                let calls = standins.parser_calls(document.sha256()).await?;
                Ok(calls.into_iter().next())
            })
            .await?;
        Ok(Self {
            pipeline,
            document,
            accepted,
            keys: callback_keys(cx, &call)?,
            script,
        })
    }

    /// The valid authentication of a body.
    pub fn proof(&self, body: &str) -> Proof {
        self.keys.proof(body.as_bytes())
    }

    /// Sends a callback with this body and authentication.
    pub async fn send(&self, body: &str, proof: &Proof) -> CheckResult<Response> {
        let job = self.accepted.job_id;
        self.pipeline.callback(job, body, proof).await
    }

    /// Sends a valid callback with this text, as the parser does.
    pub async fn send_text(&self, text: &str) -> CheckResult {
        let body = json!({"status": "completed", "md": text}).to_string();
        self.send(&body, &self.proof(&body))
            .await?
            .expect_status(&self.pipeline.contract().statuses.callback_accepted)?;
        Ok(())
    }

    /// Sends the valid callback and expects the document to complete with its text only.
    pub async fn complete(self, cx: &Context) -> CheckResult {
        self.send_text(&self.document.expected_text()).await?;
        self.expect_complete(cx).await
    }

    /// Expects the document to complete.
    pub async fn expect_complete(self, cx: &Context) -> CheckResult {
        expect_complete(cx, &self.pipeline, &self.accepted, &self.document).await?;
        Ok(self.script.withdraw().await?)
    }
}
