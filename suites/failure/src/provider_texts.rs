//! Texts of providers: each is recorded, whatever characters it has.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, JobView};
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    Callback, CallbackMoment, EmbedderBehaviour, ParserAnswer, ParserBehaviour, ScriptGuard,
    StorageBehaviour,
};
use serde_json::{Value, json};

use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::outcomes::{self, expect_cause, expect_complete, expect_failure};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_reported_failure_with_nul_is_recorded, REPORTS)
            .requires([Http, Standins])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(an_error_answer_with_nul_is_recorded, ANSWERS)
            .requires([Http, Standins])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_submission_id_with_nul_loses_no_document)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A part of the provider's text before the NUL, and one after it.
const BEFORE: &str = "marker-5a0b";
const AFTER: &str = "marker-91cd";

fn with_nul() -> String {
    format!("\0 unreadable {BEFORE}\0\0 at {AFTER} \0")
}

/// A place of the parser's text in a callback.
pub(super) struct Report {
    name: &'static str,
    body: fn(&str) -> Value,
}

impl Named for Report {
    fn name(&self) -> &'static str {
        self.name
    }
}

const REPORTS: &[Report] = &[
    Report {
        name: "error_text",
        body: |text| json!({ "status": "failed", "error": text }),
    },
    Report {
        name: "error_object",
        body: |text| json!({ "status": "failed", "error": { "message": text, "code": text } }),
    },
    Report {
        name: "message",
        body: |text| json!({ "status": "failed", "message": text }),
    },
    Report {
        name: "page",
        body: |text| {
            let pages = json!([{ "page": 1, "md": "one" }, { "page": 2, "error": text }]);
            json!({ "status": "completed", "result": pages })
        },
    },
];

/// A failure whose text has NUL is acknowledged and recorded at once, as any other.
async fn a_reported_failure_with_nul_is_recorded(cx: &Context, case: &Report) -> CheckResult {
    let waiting = AwaitingCallback::new(cx).await?;
    let body = (case.body)(&with_nul()).to_string();
    let reply = waiting.send(&body, &waiting.proof(&body)).await?;
    reply.expect_status(&cx.contract().statuses.callback_accepted)?;
    let failed = &cx.contract().vocabulary.failures.parse;
    let job = expect_failure(cx, &waiting.pipeline, &waiting.accepted, failed).await?;
    expect_whole_cause(&job)
}

/// A pipeline need not keep a provider's text. If it does, the text does not end at the first NUL.
fn expect_whole_cause(job: &JobView) -> CheckResult {
    if expect_cause(job, BEFORE).is_err() {
        return Ok(());
    }
    expect_cause(job, AFTER)
}

/// A provider whose error answer has NUL.
pub(super) struct Answer {
    name: &'static str,
    provider: Provider,
    status: u16,
}

#[derive(Clone, Copy)]
enum Provider {
    Parser,
    Embedder,
    Storage,
}

impl Named for Answer {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn answer(name: &'static str, provider: Provider, status: u16) -> Answer {
    Answer {
        name,
        provider,
        status,
    }
}

const ANSWERS: &[Answer] = &[
    answer("parser_refuses", Provider::Parser, 422),
    answer("parser_is_down", Provider::Parser, 502),
    answer("embedder_refuses", Provider::Embedder, 400),
    answer("embedder_is_down", Provider::Embedder, 503),
    answer("storage_refuses", Provider::Storage, 403),
    answer("storage_is_down", Provider::Storage, 502),
];

async fn script(
    cx: &Context,
    case: &Answer,
    document: &Document,
    accepted: &Accepted,
    tenant: Uuid,
) -> CheckResult<ScriptGuard> {
    let (standins, status, text) = (cx.standins()?, case.status, with_nul());
    Ok(match case.provider {
        Provider::Parser => {
            let behaviour = ParserBehaviour {
                answer: ParserAnswer::Plain { status, text },
                ..ParserBehaviour::default()
            };
            standins.script_parser(document.sha256(), behaviour).await?
        }
        Provider::Embedder => {
            let behaviour = EmbedderBehaviour::Plain { status, text };
            standins
                .script_embedder(document.nonce(), behaviour)
                .await?
        }
        Provider::Storage => {
            let path = cx.contract().raw_path(tenant, accepted.document_id);
            let behaviour = StorageBehaviour::Plain { status, text };
            standins
                .script_storage(format!("GET {path}"), behaviour)
                .await?
        }
    })
}

/// An error answer that has NUL fails the document in its stage, as any other.
async fn an_error_answer_with_nul_is_recorded(cx: &Context, case: &Answer) -> CheckResult {
    let document = cx.document().build();
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let script = script(cx, case, &document, &accepted, tenant.user_id).await?;
    pipeline.deliver(&accepted, document.upload()).await?;
    let failures = &cx.contract().vocabulary.failures;
    let failed = match case.provider {
        Provider::Embedder => &failures.embedding,
        Provider::Parser | Provider::Storage => &failures.parse,
    };
    let job = expect_failure(cx, &pipeline, &accepted, failed).await?;
    script.withdraw().await?;
    expect_whole_cause(&job)
}

/// A document completes although the parser's id for it has NUL.
async fn a_submission_id_with_nul_loses_no_document(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let behaviour = ParserBehaviour {
        answer: ParserAnswer::AcceptAs {
            id: format!("sub\0mission-{}", document.nonce()),
        },
        // After an early callback it would not matter whether the id was recorded.
        callback: Callback {
            moment: CallbackMoment::Late { delay_ms: 800 },
            ..Callback::default()
        },
    };
    let standins = cx.standins()?;
    let script = standins.script_parser(document.sha256(), behaviour).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    script.withdraw().await?;
    let calls = standins.parser_calls(document.sha256()).await?.len();
    ensure_eq!(calls, 1, "the document was not submitted exactly once");
    Ok(())
}
