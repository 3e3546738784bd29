//! Providers that fail for a while: the document arrives all the same, after a pause.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::JobView;
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    EmbedderBehaviour, ParserAnswer, ParserBehaviour, StorageBehaviour,
};
use time::OffsetDateTime;

use cutover_suite_support::outcomes::expect_complete;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_parser_that_recovers_gets_its_document, PARSER)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .takes(secs(2))
            .severity(Critical),
        check!(an_embedder_that_recovers_gets_its_chunks, EMBEDDER)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .takes(secs(2))
            .severity(Critical),
        check!(a_storage_that_recovers_loses_nothing, STORAGE)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .takes(secs(2))
            .severity(Critical),
    ]
}

/// What an overloaded provider asks for, in seconds.
const RETRY_AFTER_S: u32 = 1;

/// A deviation that ends after some calls.
pub(super) struct Outage<B> {
    name: &'static str,
    behaviour: fn() -> B,
    calls: u32,
    /// The least pause before the next call, where one is asked for.
    pause: Option<Duration>,
}

impl<B> Named for Outage<B> {
    fn name(&self) -> &'static str {
        self.name
    }
}

impl<B> Outage<B> {
    const fn of(name: &'static str, calls: u32, behaviour: fn() -> B) -> Self {
        Self {
            name,
            behaviour,
            calls,
            pause: None,
        }
    }

    const fn asking_for_a_pause(mut self) -> Self {
        self.pause = Some(Duration::from_secs(RETRY_AFTER_S as u64));
        self
    }

    /// Between an attempt that failed and the next lies at least the pause that was
    /// asked for, or else that of the contract.
    fn is_followed_by_a_pause(&self, cx: &Context, calls: &[OffsetDateTime]) -> CheckResult {
        // Clocks and jitter are not held against anybody.
        let least = self
            .pause
            .unwrap_or(cx.contract().timing.retry_base)
            .mul_f64(0.5);
        for pair in calls.windows(2).take(self.calls as usize) {
            let pause = pair[1] - pair[0];
            ensure!(
                pause >= least,
                "a failed call is repeated after {pause:.0}, not after {least:?} at least"
            );
        }
        Ok(())
    }
}

/// The job says how often it was tried again.
fn counts_its_retries(job: &JobView, calls: usize) -> CheckResult {
    let Some(count) = job.retry_count else {
        return Ok(());
    };
    ensure_eq!(
        count,
        calls as u64 - 1,
        "the job does not say how often it was tried again, for {calls} calls"
    );
    Ok(())
}

const fn refusing(status: u16, retry_after_s: Option<u32>) -> ParserAnswer {
    ParserAnswer::Refuse {
        status,
        marker: String::new(),
        retry_after_s,
    }
}

const fn declining(status: u16, retry_after_s: Option<u32>) -> EmbedderBehaviour {
    EmbedderBehaviour::Refuse {
        status,
        marker: String::new(),
        retry_after_s,
    }
}

/// How a parser fails for a while.
const PARSER: &[Outage<ParserAnswer>] = &[
    Outage::of("overloaded", 2, || refusing(429, Some(RETRY_AFTER_S))).asking_for_a_pause(),
    Outage::of("overloaded_without_retry_after", 1, || refusing(429, None)),
    Outage::of("broken", 2, || refusing(500, None)),
    Outage::of("bad_gateway", 1, || refusing(502, None)),
    Outage::of("unavailable", 2, || refusing(503, None)),
    Outage::of("unavailable_for_a_while", 1, || {
        refusing(503, Some(RETRY_AFTER_S))
    })
    .asking_for_a_pause(),
    Outage::of("behind_a_slow_gateway", 1, || refusing(504, None)),
    Outage::of("silent", 1, || ParserAnswer::Hang),
];

/// A parser that fails for a while is asked again, as often as it takes and not at once.
async fn a_parser_that_recovers_gets_its_document(
    cx: &Context,
    case: &Outage<ParserAnswer>,
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
    ensure!(
        calls.len() > case.calls as usize,
        "the provider was not asked again"
    );
    case.is_followed_by_a_pause(cx, &calls)?;
    counts_its_retries(&job, calls.len())
}

/// How an embedder fails for a while.
const EMBEDDER: &[Outage<EmbedderBehaviour>] = &[
    Outage::of("overloaded", 2, || declining(429, Some(RETRY_AFTER_S))).asking_for_a_pause(),
    Outage::of("broken", 2, || declining(500, None)),
    Outage::of("unavailable", 1, || declining(503, None)),
    Outage::of("unavailable_for_a_while", 1, || {
        declining(503, Some(RETRY_AFTER_S))
    })
    .asking_for_a_pause(),
    Outage::of("behind_a_slow_gateway", 1, || declining(504, None)),
    Outage::of("silent", 1, || EmbedderBehaviour::Hang),
    Outage::of("one_vector_missing", 1, || EmbedderBehaviour::Short),
    Outage::of("zero_vector", 1, || EmbedderBehaviour::Zero),
    Outage::of("garbage", 1, || EmbedderBehaviour::Garbage),
];

/// An embedder that fails for a while is asked again, and every chunk gets the right vector.
async fn an_embedder_that_recovers_gets_its_chunks(
    cx: &Context,
    case: &Outage<EmbedderBehaviour>,
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
    ensure!(
        calls.len() > case.calls as usize,
        "the provider was not asked again"
    );
    case.is_followed_by_a_pause(cx, &calls)?;
    counts_its_retries(&job, calls.len())
}

/// A failure of storage, and the calls that it hits.
pub(super) struct Failing {
    name: &'static str,
    behaviour: fn() -> StorageBehaviour,
    /// Methods, and whether the raw object or the parsed one is concerned.
    methods: &'static [&'static str],
    raw: bool,
}

impl Named for Failing {
    fn name(&self) -> &'static str {
        self.name
    }
}

fn unavailable() -> StorageBehaviour {
    StorageBehaviour::Refuse {
        status: 503,
        marker: "storage is away".to_owned(),
    }
}

/// The methods that read an object.
const READING: &[&str] = &["GET"];
/// The methods that write one.
const WRITING: &[&str] = &["POST", "PUT"];

/// How storage fails for a while.
const STORAGE: &[Failing] = &[
    Failing {
        name: "reading_the_upload",
        behaviour: unavailable,
        methods: READING,
        raw: true,
    },
    Failing {
        name: "reading_the_upload_in_silence",
        behaviour: || StorageBehaviour::Hang,
        methods: READING,
        raw: true,
    },
    Failing {
        name: "reading_the_text",
        behaviour: unavailable,
        methods: READING,
        raw: false,
    },
    Failing {
        name: "writing_the_text",
        behaviour: unavailable,
        methods: WRITING,
        raw: false,
    },
];

/// A storage that fails for a while costs time, not the document.
async fn a_storage_that_recovers_loses_nothing(cx: &Context, case: &Failing) -> CheckResult {
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
    // A text that is acknowledged is kept: nobody would send it again.
    let calls = cx.standins()?.parser_calls(document.sha256()).await?;
    let acknowledged = calls.iter().position(|call| {
        let mut answers = call.callbacks.iter().filter_map(|sent| sent.answered);
        answers.any(|status| (200..300).contains(&status))
    });
    let last = calls.len().saturating_sub(1);
    ensure!(
        acknowledged.is_none_or(|first| first == last),
        "a callback was acknowledged, and its text was lost"
    );
    Ok(())
}
