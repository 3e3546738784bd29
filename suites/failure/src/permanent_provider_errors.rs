//! Permanent provider errors: the document fails in its stage, with the cause, and nothing of it is indexed.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Failures;
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    Callback, CallbackStatus, EmbedderBehaviour, ParserAnswer, ParserBehaviour, PayloadShape,
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes;
use cutover_suite_support::outcomes::{
    acknowledges, expect_failure, expect_not_indexed, expect_provider_status, expect_provider_text,
};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_permanent_parser_error_fails_the_document, PARSER)
            .requires([Http, Database, Standins])
            .reads(outcomes::NOT_INDEXED)
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_permanent_embedder_error_fails_the_document, EMBEDDER)
            .requires([Http, Database, Standins])
            .reads(outcomes::NOT_INDEXED)
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_document_that_fails_halfway_leaves_nothing)
            .requires([Http, Database, Standins])
            .reads(outcomes::NOT_INDEXED)
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_failed_document_delays_no_other)
            .requires([Http, Database, Standins])
            .reads(outcomes::NOT_INDEXED)
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// How many times a provider may be called before the document fails.
#[derive(Clone, Copy, Debug)]
enum Attempts {
    /// Once, because a retry cannot help.
    Once,
    /// The number of attempts in the contract.
    All,
    /// Once or more: whether a retry helps depends on the implementation.
    Any,
}

impl Attempts {
    fn expect(self, cx: &Context, calls: &[OffsetDateTime]) -> CheckResult {
        if let Self::All = self {
            expect_growing_pauses(cx, calls)?;
        }
        let calls = calls.len();
        let all = 1 + cx.contract().timing.max_retries as usize;
        let (least, most) = match self {
            Self::Once => (1, 1),
            Self::All => (all, all),
            Self::Any => (1, all),
        };
        ensure!(
            (least..=most).contains(&calls),
            "the provider was called {calls} times, not {least} to {most} times"
        );
        Ok(())
    }
}

/// Each pause grows by the factor in the contract.
fn expect_growing_pauses(cx: &Context, calls: &[OffsetDateTime]) -> CheckResult {
    let timing = &cx.contract().timing;
    let mut agreed = timing.retry_base;
    for pair in calls.windows(2) {
        // A quarter of the pause is tolerated, because of jitter and clock differences.
        let (pause, least) = (pair[1] - pair[0], agreed.mul_f64(0.75));
        ensure!(
            pause >= least,
            "a failed call is repeated after {pause:.1}, not after {agreed:?}"
        );
        agreed = agreed.mul_f64(timing.retry_factor).min(timing.retry_cap);
    }
    Ok(())
}

/// The text of a provider's refusal, which the user sees as the cause, if the contract promises it.
const MARKER: &str = "marker-7f31c0";

/// A permanent error of the parser, and what the job must report about it.
pub(super) struct ParserError {
    name: &'static str,
    behaviour: fn() -> ParserBehaviour,
    attempts: Attempts,
    cause: ExpectedCause,
}

/// What the job must report about the parser's answer, if the contract promises it.
#[derive(Clone, Copy)]
enum ExpectedCause {
    /// Its text.
    Text,
    /// Its status.
    Status(u16),
    /// The pipeline describes the error in its own words.
    Own,
}

impl Named for ParserError {
    fn name(&self) -> &'static str {
        self.name
    }
}

fn parser_refusal(status: u16) -> ParserBehaviour {
    with_answer(ParserAnswer::Refuse {
        status,
        marker: MARKER.to_owned(),
        retry_after_s: None,
    })
}

fn with_answer(answer: ParserAnswer) -> ParserBehaviour {
    ParserBehaviour {
        answer,
        ..ParserBehaviour::default()
    }
}

/// Permanent errors of the parser.
const PARSER: &[ParserError] = &[
    ParserError {
        name: "refused_as_malformed",
        behaviour: || parser_refusal(400),
        attempts: Attempts::Once,
        cause: ExpectedCause::Text,
    },
    ParserError {
        name: "refused_for_its_key",
        behaviour: || parser_refusal(401),
        attempts: Attempts::Once,
        cause: ExpectedCause::Status(401),
    },
    ParserError {
        name: "refused_as_unreadable",
        behaviour: || parser_refusal(422),
        attempts: Attempts::Once,
        cause: ExpectedCause::Text,
    },
    ParserError {
        name: "forbidden",
        behaviour: || parser_refusal(403),
        attempts: Attempts::Once,
        cause: ExpectedCause::Text,
    },
    ParserError {
        name: "refused_as_too_large",
        behaviour: || parser_refusal(413),
        attempts: Attempts::Once,
        cause: ExpectedCause::Text,
    },
    ParserError {
        name: "always_overloaded",
        behaviour: || parser_refusal(429),
        attempts: Attempts::All,
        cause: ExpectedCause::Status(429),
    },
    ParserError {
        name: "always_broken",
        behaviour: || parser_refusal(500),
        attempts: Attempts::All,
        cause: ExpectedCause::Status(500),
    },
    ParserError {
        name: "garbage",
        behaviour: || with_answer(ParserAnswer::Garbage),
        attempts: Attempts::Any,
        cause: ExpectedCause::Own,
    },
    ParserError {
        name: "failed",
        behaviour: || {
            ParserBehaviour::calling_back(Callback {
                status: CallbackStatus::Failed {
                    error: MARKER.to_owned(),
                },
                ..Callback::default()
            })
        },
        attempts: Attempts::Any,
        cause: ExpectedCause::Text,
    },
    ParserError {
        name: "unknown_shape",
        behaviour: || {
            ParserBehaviour::calling_back(Callback {
                shape: PayloadShape::UnknownShape,
                ..Callback::default()
            })
        },
        attempts: Attempts::Any,
        cause: ExpectedCause::Own,
    },
    ParserError {
        name: "no_text",
        behaviour: || ParserBehaviour::returning(""),
        attempts: Attempts::Any,
        cause: ExpectedCause::Own,
    },
    ParserError {
        name: "blank_text",
        behaviour: || ParserBehaviour::returning(" \n\n\t\n"),
        attempts: Attempts::Any,
        cause: ExpectedCause::Own,
    },
];

/// A permanent parser error fails the document in the parse stage, with a cause, after the allowed attempts.
async fn a_permanent_parser_error_fails_the_document(
    cx: &Context,
    case: &ParserError,
) -> CheckResult {
    let document = cx.document().build();
    let standins = cx.standins()?;
    let script = standins
        .script_parser(document.sha256(), (case.behaviour)())
        .await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let Failures { parse, .. } = &cx.contract().vocabulary.failures;
    let job = expect_failure(cx, &pipeline, &accepted, parse).await?;
    script.withdraw().await?;
    match case.cause {
        ExpectedCause::Text => expect_provider_text(cx, &job, MARKER)?,
        ExpectedCause::Status(status) => expect_provider_status(cx, &job, status)?,
        ExpectedCause::Own => {}
    }
    let calls = standins.parser_calls(document.sha256()).await?;
    let times: Vec<_> = calls.iter().map(|call| call.at).collect();
    case.attempts.expect(cx, &times)?;
    // A callback is acknowledged even if it reports a failure.
    for callback in calls.iter().flat_map(|call| &call.callbacks) {
        ensure!(
            acknowledges(cx, callback),
            "a callback is not acknowledged: {}",
            callback.answer
        );
    }
    expect_not_indexed(cx, &pipeline, &accepted, &document).await
}

/// A permanent error of the embedder.
pub(super) struct EmbedderError {
    name: &'static str,
    behaviour: fn() -> EmbedderBehaviour,
    attempts: Attempts,
}

impl Named for EmbedderError {
    fn name(&self) -> &'static str {
        self.name
    }
}

fn embedder_refusal(status: u16) -> EmbedderBehaviour {
    EmbedderBehaviour::Refuse {
        status,
        marker: MARKER.to_owned(),
        retry_after_s: None,
    }
}

/// Permanent errors of the embedder.
const EMBEDDER: &[EmbedderError] = &[
    EmbedderError {
        name: "down",
        behaviour: || embedder_refusal(503),
        attempts: Attempts::All,
    },
    EmbedderError {
        name: "overloaded",
        behaviour: || embedder_refusal(429),
        attempts: Attempts::All,
    },
    EmbedderError {
        name: "refused",
        behaviour: || embedder_refusal(400),
        attempts: Attempts::Once,
    },
    EmbedderError {
        name: "refused_for_its_key",
        behaviour: || embedder_refusal(401),
        attempts: Attempts::Once,
    },
    EmbedderError {
        name: "not_found",
        behaviour: || embedder_refusal(404),
        attempts: Attempts::Once,
    },
    EmbedderError {
        name: "one_vector_missing",
        behaviour: || EmbedderBehaviour::Short,
        attempts: Attempts::Any,
    },
    EmbedderError {
        name: "zero_vector",
        behaviour: || EmbedderBehaviour::Zero,
        attempts: Attempts::Any,
    },
    EmbedderError {
        name: "not_a_number",
        behaviour: || EmbedderBehaviour::NotANumber,
        attempts: Attempts::Any,
    },
    EmbedderError {
        name: "another_dimension",
        behaviour: || EmbedderBehaviour::WrongDimension,
        attempts: Attempts::Any,
    },
    EmbedderError {
        name: "garbage",
        behaviour: || EmbedderBehaviour::Garbage,
        attempts: Attempts::Any,
    },
];

/// A permanent embedder error fails the document in the embedding stage, and it never becomes complete.
async fn a_permanent_embedder_error_fails_the_document(
    cx: &Context,
    case: &EmbedderError,
) -> CheckResult {
    let document = cx.document().paragraphs(12).build();
    let standins = cx.standins()?;
    let script = standins
        .script_embedder(document.nonce(), (case.behaviour)())
        .await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let Failures { embedding, .. } = &cx.contract().vocabulary.failures;
    expect_failure(cx, &pipeline, &accepted, embedding).await?;
    script.withdraw().await?;
    let calls = standins.embedder_calls(document.nonce()).await?;
    let times: Vec<_> = calls.iter().map(|call| call.at).collect();
    case.attempts.expect(cx, &times)?;
    expect_not_indexed(cx, &pipeline, &accepted, &document).await
}

/// A document of which only the last batch fails leaves no chunks of the earlier batches.
async fn a_document_that_fails_halfway_leaves_nothing(cx: &Context) -> CheckResult {
    let pages = cx.contract().embedder.max_batch + 1;
    let document = cx.document().pages(pages).paragraphs(1).build();
    // Only the last embedder call contains the heading of the last page.
    let last = format!("{}, part {pages} of {pages}", document.title());
    let refusal = cx.standins()?.script_embedder(last, embedder_refusal(400));
    let script = refusal.await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let Failures { embedding, .. } = &cx.contract().vocabulary.failures;
    expect_failure(cx, &pipeline, &accepted, embedding).await?;
    script.withdraw().await?;
    expect_not_indexed(cx, &pipeline, &accepted, &document).await
}

/// After a failed document, other documents complete, and the owner can see which one failed.
async fn a_failed_document_delays_no_other(cx: &Context) -> CheckResult {
    let broken = cx.document().build();
    let script = cx
        .standins()?
        .script_parser(broken.sha256(), parser_refusal(422))
        .await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&broken).await?;
    pipeline.complete(&cx.document().build()).await?;
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let failed = &cx.contract().vocabulary.failures.parse;
    expect_failure(cx, &pipeline, &accepted, failed).await?;
    script.withdraw().await?;
    if cx.contract().has(Endpoint::Document) {
        let shown = pipeline.document(accepted.document_id).await?;
        expect_failed_document(cx, &shown.expect_status(200)?.json()?, failed)?;
    }
    // The failed document does not count against the limit of its owner.
    pipeline.complete(&cx.document().build()).await?;
    expect_not_indexed(cx, &pipeline, &accepted, &broken).await
}

/// A failed document has its status, in the words of documents, and no chunks.
fn expect_failed_document(cx: &Context, shown: &Value, failed: &str) -> CheckResult {
    let fields = &cx.contract().fields.document;
    let has_own_words = cx.contract().vocabulary.documents.is_some();
    let expected_fields = [
        (&fields.status, json!(failed), !has_own_words),
        (&fields.chunk_count, json!(0), true),
    ];
    for (pointer, expected, is_comparable) in expected_fields {
        if pointer.is_given() && is_comparable {
            let found = value_at(pointer, shown, "a failed document")?;
            ensure_eq!(
                found,
                &expected,
                "a failed document has a wrong {}",
                pointer.as_str()
            );
        }
    }
    Ok(())
}
