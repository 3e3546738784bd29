//! Providers that fail for good: the document fails in its stage, with the cause, and leaves nothing behind.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Failures;
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    Callback, CallbackStatus, EmbedderBehaviour, ParsedText, ParserAnswer, ParserBehaviour,
    PayloadShape,
};
use serde_json::json;
use time::OffsetDateTime;

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::{expect_cause, expect_failure, expect_not_indexed};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_permanent_parser_error_fails_the_document, PARSER)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_permanent_embedder_error_fails_the_document, EMBEDDER)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_document_that_fails_halfway_leaves_nothing)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_failed_document_delays_no_other)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// How often a provider is asked before the document fails.
#[derive(Clone, Copy, Debug)]
enum Attempts {
    /// Asking again cannot help.
    Once,
    /// As often as the contract says.
    All,
    /// It is a matter of taste whether asking again can help.
    Any,
}

impl Attempts {
    fn are(self, cx: &Context, calls: &[OffsetDateTime]) -> CheckResult {
        if let Self::All = self {
            grows(cx, calls)?;
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
            "the provider was asked {calls} times, not {least} to {most} times"
        );
        Ok(())
    }
}

/// Each pause is so much longer than the one before as the contract says.
fn grows(cx: &Context, calls: &[OffsetDateTime]) -> CheckResult {
    let timing = &cx.contract().timing;
    let mut agreed = timing.retry_base;
    for pair in calls.windows(2) {
        // Clocks and jitter are not held against anybody.
        let (pause, least) = (pair[1] - pair[0], agreed.mul_f64(0.75));
        ensure!(
            pause >= least,
            "a provider that failed again is asked again after {pause:.1}, not after {agreed:?}"
        );
        agreed = agreed.mul_f64(timing.retry_factor).min(timing.retry_cap);
    }
    Ok(())
}

/// What a provider says when it refuses; its cause must reach the user.
const MARKER: &str = "marker-7f31c0";

/// A parser that does not do what it should, and what must be told of it.
pub(super) struct Unparsed {
    name: &'static str,
    behaviour: fn() -> ParserBehaviour,
    attempts: Attempts,
    cause: Option<&'static str>,
}

impl Named for Unparsed {
    fn name(&self) -> &'static str {
        self.name
    }
}

fn refusing(status: u16) -> ParserBehaviour {
    answering(ParserAnswer::Refuse {
        status,
        marker: MARKER.to_owned(),
        retry_after_s: None,
    })
}

fn answering(answer: ParserAnswer) -> ParserBehaviour {
    ParserBehaviour {
        answer,
        ..ParserBehaviour::default()
    }
}

fn calling_back(callback: Callback) -> ParserBehaviour {
    ParserBehaviour {
        callback,
        ..ParserBehaviour::default()
    }
}

fn saying(text: &str) -> ParserBehaviour {
    let text = ParsedText::Literal {
        text: text.to_owned(),
    };
    calling_back(Callback {
        text,
        ..Callback::default()
    })
}

/// How a parser does not do what it should.
const PARSER: &[Unparsed] = &[
    Unparsed {
        name: "refused_as_malformed",
        behaviour: || refusing(400),
        attempts: Attempts::Once,
        cause: Some(MARKER),
    },
    Unparsed {
        name: "refused_for_its_key",
        behaviour: || refusing(401),
        attempts: Attempts::Once,
        cause: Some("401"),
    },
    Unparsed {
        name: "refused_as_unreadable",
        behaviour: || refusing(422),
        attempts: Attempts::Once,
        cause: Some(MARKER),
    },
    Unparsed {
        name: "forbidden",
        behaviour: || refusing(403),
        attempts: Attempts::Once,
        cause: Some(MARKER),
    },
    Unparsed {
        name: "refused_as_too_large",
        behaviour: || refusing(413),
        attempts: Attempts::Once,
        cause: Some(MARKER),
    },
    Unparsed {
        name: "always_overloaded",
        behaviour: || refusing(429),
        attempts: Attempts::All,
        cause: Some("429"),
    },
    Unparsed {
        name: "always_broken",
        behaviour: || refusing(500),
        attempts: Attempts::All,
        cause: Some("500"),
    },
    Unparsed {
        name: "garbage",
        behaviour: || answering(ParserAnswer::Garbage),
        attempts: Attempts::Any,
        cause: None,
    },
    Unparsed {
        name: "failed",
        behaviour: || {
            calling_back(Callback {
                status: CallbackStatus::Failed {
                    error: MARKER.to_owned(),
                },
                ..Callback::default()
            })
        },
        attempts: Attempts::Any,
        cause: Some(MARKER),
    },
    Unparsed {
        name: "unknown_shape",
        behaviour: || {
            calling_back(Callback {
                shape: PayloadShape::UnknownShape,
                ..Callback::default()
            })
        },
        attempts: Attempts::Any,
        cause: None,
    },
    Unparsed {
        name: "no_text",
        behaviour: || saying(""),
        attempts: Attempts::Any,
        cause: None,
    },
    Unparsed {
        name: "blank_text",
        behaviour: || saying(" \n\n\t\n"),
        attempts: Attempts::Any,
        cause: None,
    },
];

/// What cannot be parsed fails there, with the parser's cause, after as many attempts as make sense.
async fn a_permanent_parser_error_fails_the_document(cx: &Context, case: &Unparsed) -> CheckResult {
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
    if let Some(cause) = case.cause {
        expect_cause(&job, cause)?;
    }
    let calls = standins.parser_calls(document.sha256()).await?;
    let times: Vec<_> = calls.iter().map(|call| call.at).collect();
    case.attempts.are(cx, &times)?;
    // What the parser reports is taken note of, even when it is bad news.
    for callback in calls.iter().flat_map(|call| &call.callbacks) {
        ensure_eq!(
            callback.answered,
            Some(200),
            "a callback is not acknowledged: {}",
            callback.answer
        );
    }
    expect_not_indexed(cx, &pipeline, &accepted, &document).await
}

/// An embedder that does not do what it should.
pub(super) struct Unembedded {
    name: &'static str,
    behaviour: fn() -> EmbedderBehaviour,
    attempts: Attempts,
}

impl Named for Unembedded {
    fn name(&self) -> &'static str {
        self.name
    }
}

fn declining(status: u16) -> EmbedderBehaviour {
    EmbedderBehaviour::Refuse {
        status,
        marker: MARKER.to_owned(),
        retry_after_s: None,
    }
}

/// How an embedder does not do what it should.
const EMBEDDER: &[Unembedded] = &[
    Unembedded {
        name: "down",
        behaviour: || declining(503),
        attempts: Attempts::All,
    },
    Unembedded {
        name: "overloaded",
        behaviour: || declining(429),
        attempts: Attempts::All,
    },
    Unembedded {
        name: "refused",
        behaviour: || declining(400),
        attempts: Attempts::Once,
    },
    Unembedded {
        name: "refused_for_its_key",
        behaviour: || declining(401),
        attempts: Attempts::Once,
    },
    Unembedded {
        name: "not_found",
        behaviour: || declining(404),
        attempts: Attempts::Once,
    },
    Unembedded {
        name: "one_vector_missing",
        behaviour: || EmbedderBehaviour::Short,
        attempts: Attempts::Any,
    },
    Unembedded {
        name: "zero_vector",
        behaviour: || EmbedderBehaviour::Zero,
        attempts: Attempts::Any,
    },
    Unembedded {
        name: "not_a_number",
        behaviour: || EmbedderBehaviour::NotANumber,
        attempts: Attempts::Any,
    },
    Unembedded {
        name: "another_dimension",
        behaviour: || EmbedderBehaviour::WrongDimension,
        attempts: Attempts::Any,
    },
    Unembedded {
        name: "garbage",
        behaviour: || EmbedderBehaviour::Garbage,
        attempts: Attempts::Any,
    },
];

/// What gets no good vectors fails there, and is never called complete.
async fn a_permanent_embedder_error_fails_the_document(
    cx: &Context,
    case: &Unembedded,
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
    case.attempts.are(cx, &times)?;
    expect_not_indexed(cx, &pipeline, &accepted, &document).await
}

/// A document whose first vectors were stored and whose last were refused is not half there.
async fn a_document_that_fails_halfway_leaves_nothing(cx: &Context) -> CheckResult {
    let pages = cx.contract().embedder.max_batch + 1;
    let document = cx.document().pages(pages).paragraphs(1).build();
    // The last page's heading is in the last call alone.
    let last = format!("{}, part {pages} of {pages}", document.title());
    let refusal = cx.standins()?.script_embedder(last, declining(400));
    let script = refusal.await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let Failures { embedding, .. } = &cx.contract().vocabulary.failures;
    expect_failure(cx, &pipeline, &accepted, embedding).await?;
    script.withdraw().await?;
    expect_not_indexed(cx, &pipeline, &accepted, &document).await
}

/// After a document that fails, the next ones arrive, and its owner can see which one failed.
async fn a_failed_document_delays_no_other(cx: &Context) -> CheckResult {
    let broken = cx.document().build();
    let script = cx
        .standins()?
        .script_parser(broken.sha256(), refusing(422))
        .await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&broken).await?;
    pipeline.complete(&cx.document().build()).await?;
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let failed = &cx.contract().vocabulary.failures.parse;
    expect_failure(cx, &pipeline, &accepted, failed).await?;
    script.withdraw().await?;
    let shown = pipeline.document(accepted.document_id).await?;
    let shown = shown.expect_status(200)?.json()?;
    let fields = &cx.contract().fields.document;
    let told = [
        (&fields.status, json!(failed)),
        (&fields.chunk_count, json!(0)),
    ];
    for (pointer, expected) in told {
        if pointer.is_given() {
            let found = value_at(pointer, &shown, "a failed document")?;
            ensure_eq!(found, &expected, "a failed document says something else");
        }
    }
    // A document that has arrived makes room: its owner goes on as before.
    pipeline.complete(&cx.document().build()).await?;
    expect_not_indexed(cx, &pipeline, &accepted, &broken).await
}
