//! Callbacks that come early, late, again or not at all: each has its effect once.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::probe::{ChunkRow, Vector};
use cutover_harness::standin::{Callback, CallbackMoment, ParserBehaviour};
use serde_json::json;

use cutover_suite_support::awaiting_callback::callback_keys;
use cutover_suite_support::outcomes::{
    callbacks_for, expect_complete, expect_failure, expect_not_indexed, parsed_text,
};

/// The checks of this file; the one that waits longest begins first.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_without_callback_fails_in_time)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .takes(secs(18))
            .severity(Critical),
        check!(a_lost_callback_is_recovered)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .takes(secs(5))
            .severity(Critical),
        check!(a_callback_counts_once, DELIVERIES)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .takes(secs(1))
            .severity(Critical),
        check!(a_replayed_callback_changes_nothing, REPLAYS)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

fn calling_back(moment: CallbackMoment, times: u32) -> ParserBehaviour {
    let callback = Callback {
        moment,
        times,
        ..Callback::default()
    };
    ParserBehaviour {
        callback,
        ..ParserBehaviour::default()
    }
}

/// A parser that never calls back is asked again, and at last the document fails with that cause.
async fn a_document_without_callback_fails_in_time(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let standins = cx.standins()?;
    let silence = calling_back(CallbackMoment::Never, 1);
    let script = standins.script_parser(document.sha256(), silence).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    // Meanwhile its owner works on, and does not find it.
    pipeline.complete(&cx.document().build()).await?;
    expect_not_indexed(cx, &pipeline, &accepted, &document).await?;
    let failed = &cx.contract().vocabulary.failures.parse;
    let job = expect_failure(cx, &pipeline, &accepted, failed).await?;
    script.withdraw().await?;
    let submitted = standins.parser_calls(document.sha256()).await?.len();
    let attempts = 1 + cx.contract().timing.max_retries as usize;
    ensure_eq!(
        submitted,
        attempts,
        "the parser was not asked as often as agreed before the document failed: {}",
        job.summary()
    );
    expect_not_indexed(cx, &pipeline, &accepted, &document).await
}

/// A callback that got lost costs a retry, not the document.
async fn a_lost_callback_is_recovered(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let silence = calling_back(CallbackMoment::Never, 1);
    let script = cx
        .standins()?
        .script_parser(document.sha256(), silence)
        .times(1)
        .await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let job = expect_complete(cx, &pipeline, &accepted, &document).await?;
    script.withdraw().await?;
    ensure!(
        job.retry_count != Some(0),
        "the job was tried again and says that it was not"
    );
    Ok(())
}

/// When, and how often, a callback is delivered.
pub(super) struct Delivery {
    name: &'static str,
    moment: CallbackMoment,
    times: u32,
}

impl Named for Delivery {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Long after the answer, and well before the parser's deadline.
const LATE: CallbackMoment = CallbackMoment::Late { delay_ms: 1000 };

/// Ways of delivering a callback that all happen.
const DELIVERIES: &[Delivery] = &[
    Delivery {
        name: "before_the_answer",
        moment: CallbackMoment::BeforeAnswer,
        times: 1,
    },
    Delivery {
        name: "before_the_answer_and_again",
        moment: CallbackMoment::BeforeAnswer,
        times: 2,
    },
    Delivery {
        name: "three_times",
        moment: CallbackMoment::AfterAnswer,
        times: 3,
    },
    Delivery {
        name: "late",
        moment: LATE,
        times: 1,
    },
    Delivery {
        name: "late_and_twice",
        moment: LATE,
        times: 2,
    },
];

/// However a callback is delivered, it is acknowledged, and the document is parsed once.
async fn a_callback_counts_once(cx: &Context, case: &Delivery) -> CheckResult {
    let document = cx.document().pages(2).build();
    let standins = cx.standins()?;
    let behaviour = calling_back(case.moment.clone(), case.times);
    let script = standins.script_parser(document.sha256(), behaviour).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    let sent = callbacks_for(cx, &document, case.times as usize).await?;
    script.withdraw().await?;
    for (_, callback) in sent {
        ensure_eq!(
            callback.answered,
            Some(200),
            "a callback is not acknowledged: {}",
            callback.answer
        );
    }
    let whole = Standing::of(cx, &pipeline, &accepted).await?;
    let parsed = &cx.contract().vocabulary.parsed;
    let times = whole.steps.iter().filter(|step| *step == parsed).count();
    ensure_eq!(times, 1, "the document was not parsed exactly once");
    Ok(())
}

/// A callback that comes after the end.
pub(super) struct Replay {
    name: &'static str,
    /// Its body, made of the one that was accepted.
    body: fn(&str) -> String,
}

impl Named for Replay {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// What may come after the end, all of it rightly proven.
const REPLAYS: &[Replay] = &[
    Replay {
        name: "the_same",
        body: str::to_owned,
    },
    Replay {
        name: "another_text",
        body: |_| {
            json!({"status": "completed", "md": "# Another text\n\nwritten later"}).to_string()
        },
    },
    Replay {
        name: "a_failure",
        body: |_| json!({"status": "failed", "error": "changed its mind"}).to_string(),
    },
    Replay {
        name: "no_text",
        body: |_| json!({"status": "completed", "md": ""}).to_string(),
    },
];

/// What is complete stays as it is, whatever the parser calls back about it later.
async fn a_replayed_callback_changes_nothing(cx: &Context, case: &Replay) -> CheckResult {
    let document = cx.document().paragraphs(12).build();
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.complete(&document).await?.accepted;
    let before = Standing::of(cx, &pipeline, &accepted).await?;
    let (call, sent) = callbacks_for(cx, &document, 1).await?.swap_remove(0);
    let body = (case.body)(&sent.body);
    let proof = callback_keys(cx, &call)?.proof(body.as_bytes());
    let reply = pipeline.callback(accepted.job_id, body, &proof).await?;
    ensure!(
        reply.is_success(),
        "a replayed callback is not acknowledged: {}",
        reply.summary()
    );
    let unchanged = async |when: &str| {
        let after = Standing::of(cx, &pipeline, &accepted).await?;
        after.is_still(&before, when)
    };
    unchanged("at once").await?;
    // Were the job in the queue again, its turn would have come before the next document's end.
    pipeline.complete(&cx.document().build()).await?;
    unchanged("after the next document").await
}

/// Everything that there is of a document.
struct Standing {
    job: String,
    /// The status and the hash of the text that its row tells.
    row: Option<(Option<String>, Option<String>)>,
    text: String,
    chunks: Vec<(Uuid, String, Option<Vector>)>,
    /// The statuses that the job entered.
    steps: Vec<String>,
}

impl Standing {
    async fn of(cx: &Context, pipeline: &Pipeline, accepted: &Accepted) -> CheckResult<Self> {
        let database = cx.database()?;
        let statuses = &cx.contract().vocabulary.statuses;
        let events = database.events_of(accepted.job_id).await?;
        let codes = events.into_iter().filter_map(|event| event.code);
        let row = database.document(accepted.document_id).await?;
        let chunks = database.chunks_of(accepted.document_id).await?;
        let identity = |chunk: ChunkRow| (chunk.chunk_id, chunk.chunk_sha, chunk.embedding);
        Ok(Self {
            job: pipeline.view(accepted).await?.summary(),
            row: row.map(|row| (row.processing_status, row.parsed_sha256)),
            text: parsed_text(cx, pipeline, accepted).await?,
            chunks: chunks.into_iter().map(identity).collect(),
            steps: codes.filter(|code| statuses.contains(code)).collect(),
        })
    }

    fn is_still(&self, before: &Self, when: &str) -> CheckResult {
        let summary = format!("a replayed callback changes a complete document, {when}");
        ensure_eq!(self.job, before.job, "{summary}: its job");
        ensure_eq!(self.steps, before.steps, "{summary}: the steps of its job");
        ensure_eq!(self.text, before.text, "{summary}: its text");
        ensure_eq!(self.row, before.row, "{summary}: its row");
        ensure!(self.chunks == before.chunks, "{summary}: its chunks");
        Ok(())
    }
}
