//! Callback delivery: early, late, repeated and missing callbacks each take effect exactly once.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Read};
use cutover_harness::prelude::*;
use cutover_harness::probe::{ChunkRow, Vector};
use cutover_harness::standin::{Callback, CallbackMoment, ParserBehaviour};
use serde_json::json;

use cutover_suite_support::awaiting_callback::callback_keys;
use cutover_suite_support::outcomes;
use cutover_suite_support::outcomes::{
    acknowledges, callbacks_for, expect_complete, expect_failure, expect_not_indexed, parsed_text,
};

/// The checks of this file, the slowest first.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_without_callback_fails_in_time)
            .only_where([Condition::PARSE_DEADLINE])
            .requires([Http, Database, Standins])
            .reads(outcomes::NOT_INDEXED)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(18))
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_lost_callback_is_recovered)
            .only_where([Condition::PARSE_DEADLINE])
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(5))
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_callback_counts_once, TIMINGS)
            .requires([Http, Database, Storage, Standins])
            .reads(STATE)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(1))
            .severity(Critical),
        check!(a_replayed_callback_changes_nothing, REPLAYS)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .reads(STATE)
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

fn calling_back(moment: CallbackMoment, times: u32) -> ParserBehaviour {
    let callback = Callback {
        moment,
        times,
        ..Callback::default()
    };
    ParserBehaviour::calling_back(callback)
}

/// If the parser never calls back, the document is submitted again and finally fails with that cause.
async fn a_document_without_callback_fails_in_time(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let standins = cx.standins()?;
    let silence = calling_back(CallbackMoment::Never, 1);
    let script = standins.script_parser(document.sha256(), silence).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    // Meanwhile the owner's other documents complete, and this one is not found.
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
        "the parser was not called the agreed number of times before the document failed: {}",
        job.summary()
    );
    expect_not_indexed(cx, &pipeline, &accepted, &document).await
}

/// A lost callback costs a retry, not the document.
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
        "the job was retried, but its retry count is 0"
    );
    Ok(())
}

/// When and how often a callback is sent.
pub(super) struct CallbackTiming {
    name: &'static str,
    moment: CallbackMoment,
    times: u32,
}

impl Named for CallbackTiming {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Well after the parser's response, and well before the deadline.
const LATE: CallbackMoment = CallbackMoment::Late { delay_ms: 1000 };

/// Timings and repetitions of a callback that occur in practice.
const TIMINGS: &[CallbackTiming] = &[
    CallbackTiming {
        name: "before_the_answer",
        moment: CallbackMoment::BeforeAnswer,
        times: 1,
    },
    CallbackTiming {
        name: "before_the_answer_and_again",
        moment: CallbackMoment::BeforeAnswer,
        times: 2,
    },
    CallbackTiming {
        name: "three_times",
        moment: CallbackMoment::AfterAnswer,
        times: 3,
    },
    CallbackTiming {
        name: "late",
        moment: LATE,
        times: 1,
    },
    CallbackTiming {
        name: "late_and_twice",
        moment: LATE,
        times: 2,
    },
];

/// Whatever its timing and repetition, a callback is acknowledged, and the document is parsed once.
async fn a_callback_counts_once(cx: &Context, case: &CallbackTiming) -> CheckResult {
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
        ensure!(
            acknowledges(cx, &callback),
            "a callback is not acknowledged: {}",
            callback.answer
        );
    }
    if !cx.contract().database.has(read::event::CODE) {
        // The history of a job is not known; its result is that of one callback.
        return Ok(());
    }
    let state = DocumentState::of(cx, &pipeline, &accepted).await?;
    let parsed = &cx.contract().vocabulary.parsed;
    let times = state.steps.iter().filter(|step| *step == parsed).count();
    ensure_eq!(times, 1, "the document was not parsed exactly once");
    Ok(())
}

/// A callback that arrives after completion.
pub(super) struct Replay {
    name: &'static str,
    /// Creates its body from the accepted one.
    body: fn(&str) -> String,
}

impl Named for Replay {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Callbacks that may arrive after completion, all with valid authentication.
const REPLAYS: &[Replay] = &[
    Replay {
        name: "the_same",
        body: str::to_owned,
    },
    Replay {
        name: "another_text",
        body: |_| json!({"status": "completed", "md": "# Another text\n\nsent later"}).to_string(),
    },
    Replay {
        name: "a_failure",
        body: |_| json!({"status": "failed", "error": "a late failure"}).to_string(),
    },
    Replay {
        name: "no_text",
        body: |_| json!({"status": "completed", "md": ""}).to_string(),
    },
];

/// A complete document does not change, whatever callback arrives later.
async fn a_replayed_callback_changes_nothing(cx: &Context, case: &Replay) -> CheckResult {
    let document = cx.document().paragraphs(12).build();
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.complete(&document).await?.accepted;
    let before = DocumentState::of(cx, &pipeline, &accepted).await?;
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
        let after = DocumentState::of(cx, &pipeline, &accepted).await?;
        after.expect_unchanged(&before, when)
    };
    unchanged("at once").await?;
    // If the job were queued again, it would be processed before the next document completes.
    pipeline.complete(&cx.document().build()).await?;
    unchanged("after the next document").await
}

/// What [`DocumentState::of`] and [`expect_complete`] read.
const STATE: [Read; 6] = [
    read::document::PROCESSING_STATUS.if_given(),
    read::document::PARSED_SHA256.if_given(),
    read::CHUNKS,
    read::chunk::CHUNK_SHA.if_given(),
    read::chunk::EMBEDDING.if_given(),
    read::event::CODE.if_given(),
];

/// The complete state of a document.
struct DocumentState {
    job: String,
    /// Its status and the hash of the text, from its row.
    row: Option<(Option<String>, Option<String>)>,
    text: Option<String>,
    /// Id, hash and vector of each chunk.
    chunks: Vec<(String, Option<String>, Option<Vector>)>,
    /// The statuses of the job, in order.
    steps: Vec<String>,
}

impl DocumentState {
    async fn of(cx: &Context, pipeline: &Pipeline, accepted: &Accepted) -> CheckResult<Self> {
        let database = cx.database()?;
        let statuses = &cx.contract().vocabulary.statuses;
        let events = if cx.contract().database.has(read::EVENTS) {
            database.events_of(accepted.job_id).await?
        } else {
            Vec::new()
        };
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

    fn expect_unchanged(&self, before: &Self, when: &str) -> CheckResult {
        let summary = format!("a replayed callback changes a complete document ({when})");
        ensure_eq!(self.job, before.job, "{summary}: its job");
        ensure_eq!(
            self.steps,
            before.steps,
            "{summary}: the status history of its job"
        );
        ensure_eq!(self.text, before.text, "{summary}: its text");
        ensure_eq!(self.row, before.row, "{summary}: its row");
        ensure!(self.chunks == before.chunks, "{summary}: its chunks");
        Ok(())
    }
}
