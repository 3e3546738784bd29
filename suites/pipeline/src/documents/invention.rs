//! Invention: what the parser did not give as the text of a document is never indexed, whatever fails.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Contract, JobView};
use cutover_harness::prelude::*;
use cutover_harness::standin::StorageBehaviour;
use futures::stream::{self, TryStreamExt as _};

use cutover_fixtures::documents::Document;
use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::outcomes::{self, expect_complete, expect_not_indexed, give_up_within};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_callback_without_text_yields_no_text, BODIES)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_text_that_cannot_be_read_is_not_replaced)
            .only_where([Condition::PARSED_PATH])
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(6))
            .occupies(Resource::Worker)
            .severity(Critical),
    ]
}

/// Bodies of callbacks that contain no text of a document.
pub(super) struct Bodies {
    name: &'static str,
    bodies: &'static [&'static str],
}

impl Named for Bodies {
    fn name(&self) -> &'static str {
        self.name
    }
}

const BODIES: &[Bodies] = &[
    Bodies {
        name: "only_a_message",
        bodies: &[
            r#"{"status":"completed","message":"No text could be extracted from the invented document"}"#,
            r#"{"status":"completed","error":"invented error of the parser"}"#,
            r#"{"status":"completed","error":{"message":"invented error of the parser"}}"#,
            r#"{"status":"completed","detail":"invented detail"}"#,
            r#"{"status":"completed","warning":"invented warning","md":""}"#,
            r#"{"status":"completed","summary":"invented summary","md":null}"#,
            r#"{"status":"completed","result":{"message":"invented message"}}"#,
            r#"{"status":"completed","result":{"error":"invented error"}}"#,
            r#"{"status":"completed","result":[{"page":1,"message":"invented message"}]}"#,
        ],
    },
    Bodies {
        name: "a_failure_with_text",
        bodies: &[
            r##"{"status":"failed","error":"invented","md":"# Error\n\ninvented error page"}"##,
            r#"{"status":"error","md":"invented error page"}"#,
            r#"{"status":"failed","result":{"md":"invented error page"}}"#,
            r#"{"status":"failed","result":[{"page":1,"md":"invented error page"}]}"#,
            r#"{"status":"partial","md":"invented half of a page"}"#,
            r#"{"status":"running","md":"invented preview"}"#,
            r#"{"status":"cancelled","txt":"invented remains"}"#,
        ],
    },
    Bodies {
        name: "another_type",
        bodies: &[
            r#"{"status":"completed","md":{"invented":"object"}}"#,
            r#"{"status":"completed","md":["invented","list"]}"#,
            r#"{"status":"completed","md":12345678901}"#,
            r#"{"status":"completed","md":true}"#,
            r#"{"status":"completed","txt":{"invented":1}}"#,
            r#"{"status":"completed","result":123456}"#,
            r#"{"status":"completed","result":{"md":{"invented":"object"}}}"#,
            r#"{"status":"completed","result":[{"page":1,"md":["invented"]}]}"#,
            r#"{"status":"completed","result":[12345,null,true]}"#,
        ],
    },
    Bodies {
        name: "blank",
        bodies: &[
            r#"{"status":"completed"}"#,
            r#"{"status":"completed","md":""}"#,
            r#"{"status":"completed","md":"  \n\t\n "}"#,
            r#"{"status":"completed","md":null,"txt":null}"#,
            r#"{"status":"completed","result":[]}"#,
            r#"{"status":"completed","result":{}}"#,
            r#"{"status":"completed","result":[{"page":1,"md":""},{"page":2,"md":" "}]}"#,
            r#"{"status":"completed","result":""}"#,
        ],
    },
    Bodies {
        name: "no_payload",
        bodies: &[
            "",
            "null",
            "[]",
            "{}",
            "42",
            r#""invented text of a body""#,
            r#"["invented text of a body"]"#,
            "<html><body><h1>502 Bad Gateway</h1><p>invented page</p></body></html>",
            "invented plain text of a proxy",
            r#"{"status":"completed","md":"invented text that ends in the mid"#,
            r#"{"status":"completed","md":"invented"} trailing"#,
        ],
    },
];

/// The documents at one moment: few, because other checks use the same stack.
const AT_ONCE: usize = 4;

/// A callback without a text leads to a failure, or changes nothing: the document ends with its own text or without one.
async fn a_callback_without_text_yields_no_text(cx: &Context, case: &Bodies) -> CheckResult {
    stream::iter(case.bodies.iter().map(Ok::<_, Stop>))
        .try_for_each_concurrent(AT_ONCE, |body| send_without_text(cx, body))
        .await
}

async fn send_without_text(cx: &Context, body: &str) -> CheckResult {
    let waiting = AwaitingCallback::new(cx).await?;
    let reply = waiting.send(body, &waiting.proof(body)).await?;
    ensure!(
        reply.status < 500,
        "the callback {body} is answered with {}",
        reply.summary()
    );
    let contract = cx.contract();
    let AwaitingCallback {
        pipeline,
        document,
        accepted,
        ..
    } = &waiting;
    let what = "the job has ended, or still waits for its text";
    let within = contract.timing.complete_within;
    let view = pipeline
        .until(accepted, what, within, |job| is_settled(contract, job))
        .await?;
    if view.status == contract.vocabulary.awaiting_callback {
        return waiting.complete(cx).await;
    }
    expect_own_text_or_none(cx, pipeline, accepted, document).await
}

fn is_settled(contract: &Contract, job: &JobView) -> bool {
    let vocabulary = &contract.vocabulary;
    job.status == vocabulary.awaiting_callback
        || vocabulary.is_final(&job.status, job.state.as_deref())
}

/// A document that has ended is complete with its own text, or has no chunks.
async fn expect_own_text_or_none(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    document: &Document,
) -> CheckResult {
    let job = pipeline.until_final(accepted).await?;
    if job.status == cx.contract().vocabulary.complete {
        expect_complete(cx, pipeline, accepted, document).await?;
        return Ok(());
    }
    expect_not_indexed(cx, pipeline, accepted, document).await
}

/// Ways in which the stored text cannot be read, and how often.
fn unreadable() -> Vec<(StorageBehaviour, u32)> {
    let refuse = |status| StorageBehaviour::Refuse {
        status,
        marker: "<html>invented error page</html>".to_owned(),
    };
    vec![
        (StorageBehaviour::Missing, 1),
        (StorageBehaviour::Missing, 8),
        (StorageBehaviour::Corrupt, 1),
        (StorageBehaviour::Corrupt, 8),
        (refuse(404), 1),
        (refuse(403), 8),
        (refuse(500), 1),
        (refuse(503), 8),
        (refuse(416), 2),
        (StorageBehaviour::Hang, 1),
    ]
}

/// If the stored text cannot be read, or is another one, nothing else is indexed in its place.
async fn a_text_that_cannot_be_read_is_not_replaced(cx: &Context) -> CheckResult {
    let cases = unreadable().into_iter().map(async |(behaviour, times)| {
        let (tenant, document) = (cx.tenant()?, cx.document().paragraphs(8).build());
        let pipeline = cx.pipeline_as(tenant.clone())?;
        let accepted = pipeline.accept(document.upload()).await?;
        let path = cx
            .contract()
            .parsed_path(tenant.user_id, accepted.document_id);
        let scope = format!("GET {path}");
        let script = cx.standins()?.script_storage(scope, behaviour);
        let script = script.times(times).await?;
        pipeline.deliver(&accepted, document.upload()).await?;
        expect_while_unreadable(cx, &pipeline, &accepted).await?;
        script.withdraw().await?;
        expect_own_text_or_none(cx, &pipeline, &accepted, &document).await
    });
    stream::iter(cases.map(Ok::<_, Stop>))
        .try_for_each_concurrent(AT_ONCE, |case| case)
        .await
}

/// Waits for the end of the job, so that the script applies to every read of the pipeline.
async fn expect_while_unreadable(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
) -> CheckResult {
    let within = give_up_within(cx.contract());
    let vocabulary = &cx.contract().vocabulary;
    let is_final = |job: &JobView| vocabulary.is_final(&job.status, job.state.as_deref());
    pipeline
        .until(accepted, "the job ends", within, is_final)
        .await?;
    Ok(())
}
