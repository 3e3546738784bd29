//! Transient provider errors: after a pause the pipeline retries, and the document completes.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::JobView;
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    EmbedderBehaviour, ParserAnswer, ParserBehaviour, StorageBehaviour,
};
use serde_json::json;
use time::OffsetDateTime;

use cutover_suite_support::outcomes;
use cutover_suite_support::outcomes::expect_complete;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_parser_that_recovers_gets_its_document, PARSER)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(2))
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(an_embedder_that_recovers_gets_its_chunks, EMBEDDER)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(2))
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_storage_that_recovers_loses_nothing, STORAGE)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(2))
            .occupies(Resource::Worker)
            .severity(Critical),
    ]
}

/// The `Retry-After` of an overloaded provider, in seconds.
const RETRY_AFTER_S: u32 = 1;

/// A provider error that ends after some calls.
pub(super) struct TransientError<B> {
    name: &'static str,
    behaviour: fn() -> B,
    calls: u32,
    /// The pause that the provider asks for, if any.
    pause: Option<Duration>,
}

impl<B> Named for TransientError<B> {
    fn name(&self) -> &'static str {
        self.name
    }
}

impl<B> TransientError<B> {
    const fn new(name: &'static str, calls: u32, behaviour: fn() -> B) -> Self {
        Self {
            name,
            behaviour,
            calls,
            pause: None,
        }
    }

    const fn with_retry_after(mut self) -> Self {
        self.pause = Some(Duration::from_secs(RETRY_AFTER_S as u64));
        self
    }

    /// The provider was called again after each failed call and a pause, and the job counts these retries.
    fn expect_retries(&self, cx: &Context, job: &JobView, calls: &[OffsetDateTime]) -> CheckResult {
        ensure!(
            calls.len() > self.calls as usize,
            "the provider was not called again"
        );
        self.expect_pause(cx, calls)?;
        expect_retry_count(job, calls.len())
    }

    /// The pause after a failed attempt is at least as long as the provider asked for, or else as the contract
    /// requires.
    fn expect_pause(&self, cx: &Context, calls: &[OffsetDateTime]) -> CheckResult {
        // Half the pause is tolerated, because of jitter and clock differences.
        let least = self
            .pause
            .unwrap_or(cx.contract().timing.retry_base)
            .mul_f64(0.5);
        for pair in calls.windows(2).take(self.calls as usize) {
            let pause = pair[1] - pair[0];
            ensure!(
                pause >= least,
                "a failed call is repeated after {pause:.0}, not after at least {least:?}"
            );
        }
        Ok(())
    }
}

/// The retry count of the job matches the number of calls.
fn expect_retry_count(job: &JobView, calls: usize) -> CheckResult {
    let Some(count) = job.retry_count else {
        return Ok(());
    };
    ensure_eq!(
        count,
        calls as u64 - 1,
        "the retry count of a job does not match its {calls} calls"
    );
    Ok(())
}

const fn parser_refusal(status: u16, retry_after_s: Option<u32>) -> ParserAnswer {
    ParserAnswer::Refuse {
        status,
        marker: String::new(),
        retry_after_s,
    }
}

const fn embedder_refusal(status: u16, retry_after_s: Option<u32>) -> EmbedderBehaviour {
    EmbedderBehaviour::Refuse {
        status,
        marker: String::new(),
        retry_after_s,
    }
}

/// Transient errors of the parser.
const PARSER: &[TransientError<ParserAnswer>] = &[
    TransientError::new("overloaded", 2, || parser_refusal(429, Some(RETRY_AFTER_S)))
        .with_retry_after(),
    TransientError::new("overloaded_without_retry_after", 1, || {
        parser_refusal(429, None)
    }),
    TransientError::new("broken", 2, || parser_refusal(500, None)),
    TransientError::new("bad_gateway", 1, || parser_refusal(502, None)),
    TransientError::new("unavailable", 2, || parser_refusal(503, None)),
    TransientError::new("unavailable_for_a_while", 1, || {
        parser_refusal(503, Some(RETRY_AFTER_S))
    })
    .with_retry_after(),
    TransientError::new("behind_a_slow_gateway", 1, || parser_refusal(504, None)),
    TransientError::new("silent", 1, || ParserAnswer::Hang),
];

/// After a transient parser error, the pipeline retries after a pause until the parser accepts the document.
async fn a_parser_that_recovers_gets_its_document(
    cx: &Context,
    case: &TransientError<ParserAnswer>,
) -> CheckResult {
    let document = cx.document().build();
    let behaviour = ParserBehaviour {
        answer: (case.behaviour)(),
        ..ParserBehaviour::default()
    };
    let standins = cx.standins()?;
    let script = standins.script_parser(document.sha256(), behaviour);
    let script = script.times(case.calls).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let job = expect_complete(cx, &pipeline, &accepted, &document).await?;
    script.withdraw().await?;
    let calls = standins.parser_calls(document.sha256()).await?;
    let calls: Vec<_> = calls.iter().map(|call| call.at).collect();
    case.expect_retries(cx, &job, &calls)
}

/// Transient errors of the embedder.
const EMBEDDER: &[TransientError<EmbedderBehaviour>] = &[
    TransientError::new("overloaded", 2, || {
        embedder_refusal(429, Some(RETRY_AFTER_S))
    })
    .with_retry_after(),
    TransientError::new("broken", 2, || embedder_refusal(500, None)),
    TransientError::new("unavailable", 1, || embedder_refusal(503, None)),
    TransientError::new("unavailable_for_a_while", 1, || {
        embedder_refusal(503, Some(RETRY_AFTER_S))
    })
    .with_retry_after(),
    TransientError::new("behind_a_slow_gateway", 1, || embedder_refusal(504, None)),
    TransientError::new("silent", 1, || EmbedderBehaviour::Hang),
    TransientError::new("one_vector_missing", 1, || EmbedderBehaviour::Short),
    TransientError::new("zero_vector", 1, || EmbedderBehaviour::Zero),
    TransientError::new("garbage", 1, || EmbedderBehaviour::Garbage),
];

/// After a transient embedder error, the pipeline retries, and every chunk gets the right vector.
async fn an_embedder_that_recovers_gets_its_chunks(
    cx: &Context,
    case: &TransientError<EmbedderBehaviour>,
) -> CheckResult {
    let document = cx.document().paragraphs(20).build();
    let standins = cx.standins()?;
    let script = standins.script_embedder(document.nonce(), (case.behaviour)());
    let script = script.times(case.calls).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let job = expect_complete(cx, &pipeline, &accepted, &document).await?;
    script.withdraw().await?;
    let calls = standins.embedder_calls(document.nonce()).await?;
    let calls: Vec<_> = calls.iter().map(|call| call.at).collect();
    case.expect_retries(cx, &job, &calls)
}

/// A storage error, and the requests that it affects.
pub(super) struct StorageFault {
    name: &'static str,
    behaviour: fn() -> StorageBehaviour,
    /// The methods, and whether the raw object or the parsed one is affected.
    methods: &'static [&'static str],
    raw: bool,
}

impl Named for StorageFault {
    fn name(&self) -> &'static str {
        self.name
    }

    fn conditions(&self) -> Vec<Condition> {
        vec![if self.raw {
            Condition::RAW_PATH
        } else {
            Condition::PARSED_PATH
        }]
    }
}

fn unavailable() -> StorageBehaviour {
    StorageBehaviour::Refuse {
        status: 503,
        marker: "storage is unavailable".to_owned(),
    }
}

/// A transient status in the body of a 400, in the form of older versions of Supabase Storage.
fn in_body(status: &str, error: &str) -> StorageBehaviour {
    let message = "a transient error";
    StorageBehaviour::InBody {
        body: json!({ "statusCode": status, "error": error, "message": message }),
    }
}

/// The same in the form of newer versions, whose codes are words.
fn with_code(code: &str) -> StorageBehaviour {
    let message = "a transient error";
    StorageBehaviour::InBody {
        body: json!({ "code": code, "error": code, "message": message }),
    }
}

/// The methods that read an object.
const READING: &[&str] = &["GET"];
/// The methods that write one.
const WRITING: &[&str] = &["POST", "PUT"];

/// Transient errors of the storage.
const STORAGE: &[StorageFault] = &[
    StorageFault {
        name: "reading_the_upload",
        behaviour: unavailable,
        methods: READING,
        raw: true,
    },
    StorageFault {
        name: "reading_the_upload_in_silence",
        behaviour: || StorageBehaviour::Hang,
        methods: READING,
        raw: true,
    },
    StorageFault {
        name: "reading_the_text",
        behaviour: unavailable,
        methods: READING,
        raw: false,
    },
    StorageFault {
        name: "writing_the_text",
        behaviour: unavailable,
        methods: WRITING,
        raw: false,
    },
    StorageFault {
        name: "reading_a_locked_upload",
        behaviour: || in_body("423", "Locked"),
        methods: READING,
        raw: true,
    },
    StorageFault {
        name: "reading_the_upload_too_often",
        behaviour: || in_body("429", "too_many_requests"),
        methods: READING,
        raw: true,
    },
    StorageFault {
        name: "reading_the_upload_from_a_slow_storage",
        behaviour: || in_body("503", "SlowDown"),
        methods: READING,
        raw: true,
    },
    StorageFault {
        name: "reading_the_upload_from_a_slow_database",
        behaviour: || in_body("544", "DatabaseTimeout"),
        methods: READING,
        raw: true,
    },
    StorageFault {
        name: "reading_the_text_too_often",
        behaviour: || in_body("429", "too_many_requests"),
        methods: READING,
        raw: false,
    },
    StorageFault {
        name: "reading_a_locked_text",
        behaviour: || with_code("ResourceLocked"),
        methods: READING,
        raw: false,
    },
    StorageFault {
        name: "reading_an_upload_with_code",
        behaviour: || with_code("SlowDown"),
        methods: READING,
        raw: true,
    },
    StorageFault {
        name: "writing_a_locked_text",
        behaviour: || in_body("423", "Locked"),
        methods: WRITING,
        raw: false,
    },
];

/// A transient storage error causes a delay, but loses no document.
async fn a_storage_that_recovers_loses_nothing(cx: &Context, case: &StorageFault) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let (tenant, contract) = (cx.tenant()?, cx.contract());
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let object = if case.raw {
        contract.raw_path(tenant.user_id, accepted.document_id)
    } else {
        contract.parsed_path(tenant.user_id, accepted.document_id)
    };
    let mut scripts = Vec::new();
    for method in case.methods {
        let scope = format!("{method} {object}");
        let script = cx.standins()?.script_storage(scope, (case.behaviour)());
        scripts.push(script.times(1).await?);
    }
    pipeline.deliver(&accepted, document.upload()).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    for script in scripts {
        script.withdraw().await?;
    }
    if case.methods == READING {
        return Ok(());
    }
    // A text whose callback was acknowledged must be kept, because the parser does not send it again.
    let calls = cx.standins()?.parser_calls(document.sha256()).await?;
    let acknowledged = calls.iter().position(|call| {
        let mut answers = call.callbacks.iter().filter_map(|sent| sent.answered);
        answers.any(|status| (200..300).contains(&status))
    });
    let last = calls.len().saturating_sub(1);
    ensure!(
        acknowledged.is_none_or(|first| first == last),
        "a callback was acknowledged, but its text was lost"
    );
    Ok(())
}
