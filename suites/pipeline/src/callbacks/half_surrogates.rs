//! Half a surrogate pair: JSON can express it and no text can hold it, so it is replaced.

use cutover_harness::check::Named;
use cutover_harness::prelude::*;

use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::outcomes::{expect_failure, expect_provider_text, parsed_text, words};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(half_a_surrogate_pair_is_replaced, HALVES)
            .requires([Http, Database, Storage, Standins])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(High),
        check!(a_failure_with_half_a_surrogate_pair_is_recorded)
            .requires([Http, Standins])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(High),
    ]
}

/// A place of half a surrogate pair.
pub(super) struct Half {
    name: &'static str,
    /// The text as JSON writes it.
    escaped: &'static str,
    /// The text that is stored, with U+FFFD for each half.
    stored: &'static str,
    /// The body of the callback; `%` is the text.
    body: &'static str,
}

impl Named for Half {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn half(name: &'static str, escaped: &'static str, stored: &'static str) -> Half {
    Half {
        name,
        escaped,
        stored,
        body: r#"{"status": "completed", "md": "%"}"#,
    }
}

const HALVES: &[Half] = &[
    half("first_half", r"a\ud83d b", "a\u{fffd} b"),
    half("second_half", r"a\uDE00 b", "a\u{fffd} b"),
    half("reversed", r"a \ude00\ud83d b", "a \u{fffd}\u{fffd} b"),
    half(
        "before_a_pair",
        r"a \ud83d\ud83d\ude00 b",
        "a \u{fffd}\u{1f600} b",
    ),
    half(
        "before_an_escape",
        r"a \ud83d\\ud83d b",
        "a \u{fffd}\\ud83d b",
    ),
    half("at_the_end", r"a b\ud83d", "a b\u{fffd}"),
    Half {
        body: r#"{"status": "completed", "result": {"md": "%"}}"#,
        ..half("in_a_result", r"a\ud83d b", "a\u{fffd} b")
    },
    Half {
        body: r#"{"status": "completed", "result": [{"page": 1, "md": "%"}]}"#,
        ..half("in_a_page", r"a\ude00 b", "a\u{fffd} b")
    },
];

/// A callback whose text has half a surrogate pair is accepted at once, and each half is replaced as the contract says.
async fn half_a_surrogate_pair_is_replaced(cx: &Context, case: &Half) -> CheckResult {
    let waiting = AwaitingCallback::new(cx).await?;
    let nonce = waiting.document.nonce();
    let body = case.body.replace('%', &format!("{nonce} {}", case.escaped));
    let reply = waiting.send(&body, &waiting.proof(&body)).await?;
    reply.expect_status(&cx.contract().statuses.callback_accepted)?;
    let (pipeline, accepted) = (&waiting.pipeline, &waiting.accepted);
    pipeline.until_complete(accepted).await?;
    let replacement = &cx.contract().callback.half_surrogate;
    let stored = case
        .stored
        .replace(char::REPLACEMENT_CHARACTER, replacement);
    let expected = format!("{nonce} {stored}");
    if let Some(text) = parsed_text(cx, pipeline, accepted).await? {
        ensure_eq!(
            text,
            expected,
            "half a surrogate pair is not replaced by '{replacement}' (contract.callback.half_surrogate)"
        );
    }
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    let joined: String = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    ensure_eq!(
        words(&joined),
        words(&expected),
        "the joined chunks differ from the parsed text"
    );
    Ok(())
}

/// A failure whose text has half a surrogate pair is acknowledged and recorded at once.
async fn a_failure_with_half_a_surrogate_pair_is_recorded(cx: &Context) -> CheckResult {
    let waiting = AwaitingCallback::new(cx).await?;
    let body = r#"{"status": "failed", "error": "marker-77aa \ud83d marker-77bb"}"#;
    let reply = waiting.send(body, &waiting.proof(body)).await?;
    reply.expect_status(&cx.contract().statuses.callback_accepted)?;
    let failed = &cx.contract().vocabulary.failures.parse;
    let job = expect_failure(cx, &waiting.pipeline, &waiting.accepted, failed).await?;
    expect_provider_text(cx, &job, "marker-77aa")?;
    expect_provider_text(cx, &job, "marker-77bb")
}
