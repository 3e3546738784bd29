//! Pages: a complete document lacks none, and an empty page has no text.

use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use serde_json::{Value, json};

use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::outcomes::{
    self, expect_complete, expect_failure, expect_not_indexed, expect_provider_text,
    give_up_within, parsed_text, words,
};
use cutover_suite_support::texts;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_complete_document_lacks_no_page, MISSING_PAGES)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(the_word_for_an_empty_page_is_not_indexed, EMPTY_PAGES)
            .only_where([Condition::EMPTY_PAGE])
            .requires([Http, Database, Storage, Standins])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(High),
        check!(a_document_of_empty_pages_fails, EMPTY_DOCUMENTS)
            .only_where([Condition::EMPTY_PAGE])
            .requires([Http, Database, Standins])
            .reads(outcomes::NOT_INDEXED)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(High),
        check!(pages_are_joined_in_their_order)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
    ]
}

/// The cause of a page's error.
const CAUSE: &str = "marker-c4d1";

/// A result that lacks the text of a page.
pub(super) struct MissingPage {
    name: &'static str,
    /// The pages, from the texts of the first and the last one.
    pages: fn(&str, &str) -> Value,
    /// Whether the result says why.
    has_cause: bool,
}

impl Named for MissingPage {
    fn name(&self) -> &'static str {
        self.name
    }
}

const MISSING_PAGES: &[MissingPage] = &[
    MissingPage {
        name: "error_text",
        pages: |first, last| json!([{"page": 1, "md": first}, {"page": 2, "error": CAUSE}, {"page": 3, "md": last}]),
        has_cause: true,
    },
    MissingPage {
        name: "error_object",
        pages: |first, last| {
            let error = json!({ "message": CAUSE });
            json!([{"page": 1, "md": first}, {"page": 2, "md": "", "error": error}, {"page": 3, "md": last}])
        },
        has_cause: true,
    },
    MissingPage {
        name: "error_on_the_last_page",
        pages: |first, last| json!([{"page": 1, "md": first}, {"page": 2, "md": last}, {"page": 3, "error": CAUSE}]),
        has_cause: true,
    },
    MissingPage {
        name: "error_and_a_part_of_the_text",
        pages: |first, last| json!([{"page": 1, "md": first}, {"page": 2, "md": "half of", "error": CAUSE}, {"page": 3, "md": last}]),
        has_cause: true,
    },
    MissingPage {
        name: "error_status",
        pages: |first, last| json!([{"page": 1, "md": first}, {"page": 2, "status": "ERROR", "md": ""}, {"page": 3, "md": last}]),
        has_cause: false,
    },
    MissingPage {
        name: "null",
        pages: |first, last| json!([{"page": 1, "md": first}, null, {"page": 3, "md": last}]),
        has_cause: false,
    },
    MissingPage {
        name: "no_text",
        pages: |first, last| json!([{"page": 1, "md": first}, {"page": 2}, {"page": 3, "md": last}]),
        has_cause: false,
    },
    MissingPage {
        name: "left_out",
        pages: |first, last| json!([{"page": 1, "md": first}, {"page": 3, "md": last}]),
        has_cause: false,
    },
];

/// A document of which the parser did not read a page fails with the cause, unless a retry yields every page.
async fn a_complete_document_lacks_no_page(cx: &Context, case: &MissingPage) -> CheckResult {
    let waiting = AwaitingCallback::new(cx).await?;
    let text = waiting.document.expected_text();
    let pages = (case.pages)(&text, "the last page");
    let body = json!({ "status": "completed", "result": pages }).to_string();
    let reply = waiting.send(&body, &waiting.proof(&body)).await?;
    reply.expect_status(&cx.contract().statuses.callback_accepted)?;
    let (pipeline, accepted) = (&waiting.pipeline, &waiting.accepted);
    let vocabulary = &cx.contract().vocabulary;
    let within = give_up_within(cx.contract());
    let is_final = |job: &cutover_harness::contract::JobView| {
        vocabulary.is_final(&job.status, job.state.as_deref())
    };
    let job = pipeline
        .until(accepted, "the job reaches a final status", within, is_final)
        .await?;
    if job.status == vocabulary.complete {
        // The pipeline submitted the document again, and the parser read every page.
        let calls = cx
            .standins()?
            .parser_calls(waiting.document.sha256())
            .await?;
        ensure!(
            calls.len() > 1,
            "a document of which the parser did not read a page is complete: {}",
            job.summary()
        );
        expect_complete(cx, pipeline, accepted, &waiting.document).await?;
        return Ok(());
    }
    let job = expect_failure(cx, pipeline, accepted, &vocabulary.failures.parse).await?;
    if case.has_cause {
        expect_provider_text(cx, &job, CAUSE)?;
    }
    expect_not_indexed(cx, pipeline, accepted, &waiting.document).await
}

/// A result with an empty page, for which the parser writes its own word.
pub(super) struct EmptyPage {
    name: &'static str,
    /// The body of a callback, from the word for an empty page and the texts of two others.
    body: fn(&str, &str, &str) -> Value,
}

impl Named for EmptyPage {
    fn name(&self) -> &'static str {
        self.name
    }
}

const EMPTY_PAGES: &[EmptyPage] = &[
    EmptyPage {
        name: "first_of_a_list",
        body: |word, one, two| json!({"status": "completed", "result": [{"page": 1, "md": word}, {"page": 2, "md": one}, {"page": 3, "md": two}]}),
    },
    EmptyPage {
        name: "within_a_list",
        body: |word, one, two| json!({"status": "completed", "result": [{"page": 1, "md": one}, {"page": 2, "md": format!("\n{word}\n")}, {"page": 3, "md": two}]}),
    },
    EmptyPage {
        name: "within_a_text",
        body: |word, one, two| json!({"status": "completed", "md": format!("{one}\n---\n{word}\n---\n{two}")}),
    },
    EmptyPage {
        name: "at_the_end_of_a_result",
        body: |word, one, two| json!({"status": "completed", "result": {"md": format!("{one}\n\n{two}\n\n{word}")}}),
    },
];

/// The parser's word for an empty page is no text of the document; all other text is kept.
async fn the_word_for_an_empty_page_is_not_indexed(cx: &Context, case: &EmptyPage) -> CheckResult {
    let word = cx.contract().callback.empty_page.as_str();
    let waiting = AwaitingCallback::new(cx).await?;
    let nonce = waiting.document.nonce();
    let (one, two) = (
        format!("the first page of {nonce}"),
        format!("the last page of {nonce}"),
    );
    let body = (case.body)(word, &one, &two).to_string();
    let reply = waiting.send(&body, &waiting.proof(&body)).await?;
    reply.expect_status(&cx.contract().statuses.callback_accepted)?;
    let (pipeline, accepted) = (&waiting.pipeline, &waiting.accepted);
    pipeline.until_complete(accepted).await?;
    let text = parsed_text(cx, pipeline, accepted).await?;
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    let joined: String = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    let text = text.unwrap_or_else(|| joined.clone());
    let expected = format!("{one} {two}");
    for (what, found) in [("stored text", &text), ("chunks", &joined)] {
        ensure!(
            !found.contains(word),
            "the {what} of a document contain the parser's word for an empty page"
        );
        let found: Vec<_> = words(found)
            .into_iter()
            .filter(|word| *word != "---")
            .collect();
        ensure_eq!(
            found,
            words(&expected),
            "the {what} of a document lack a text"
        );
    }
    Ok(())
}

const EMPTY_DOCUMENTS: &[EmptyPage] = &[
    EmptyPage {
        name: "a_list",
        body: |word, _, _| json!({"status": "completed", "result": [{"page": 1, "md": word}, {"page": 2, "md": word}]}),
    },
    EmptyPage {
        name: "a_text",
        body: |word, _, _| json!({"status": "completed", "md": word}),
    },
    EmptyPage {
        name: "a_text_of_pages",
        body: |word, _, _| json!({"status": "completed", "result": {"md": format!("{word}\n---\n{word}\n")}}),
    },
];

/// A document whose pages are all empty fails, and is not complete without text.
async fn a_document_of_empty_pages_fails(cx: &Context, case: &EmptyPage) -> CheckResult {
    let word = cx.contract().callback.empty_page.as_str();
    let waiting = AwaitingCallback::new(cx).await?;
    let body = (case.body)(word, "", "").to_string();
    let reply = waiting.send(&body, &waiting.proof(&body)).await?;
    reply.expect_status(&cx.contract().statuses.callback_accepted)?;
    let (pipeline, accepted) = (&waiting.pipeline, &waiting.accepted);
    let failures = &cx.contract().vocabulary.failures;
    expect_failure(cx, pipeline, accepted, &failures.parse).await?;
    expect_not_indexed(cx, pipeline, accepted, &waiting.document).await
}

/// The pages of a document in another order than theirs, more of them than ten.
const NUMBERS: [u32; 12] = [11, 2, 10, 1, 12, 3, 9, 4, 8, 5, 7, 6];

/// The text of a document has its pages in the order of their numbers.
async fn pages_are_joined_in_their_order(cx: &Context) -> CheckResult {
    let waiting = AwaitingCallback::new(cx).await?;
    let nonce = waiting.document.nonce();
    let text = |number: u32| format!("page number {number} of {nonce}");
    let pages = NUMBERS.map(|number| json!({"page": number, "md": text(number)}));
    let body = json!({"status": "completed", "result": pages}).to_string();
    let reply = waiting.send(&body, &waiting.proof(&body)).await?;
    reply.expect_status(&cx.contract().statuses.callback_accepted)?;
    let (pipeline, accepted) = (&waiting.pipeline, &waiting.accepted);
    pipeline.until_complete(accepted).await?;
    let expected: Vec<String> = (1..).take(NUMBERS.len()).map(text).collect();
    texts::expect_whole_text(cx, pipeline, accepted, &expected.join("\n\n")).await?;
    Ok(())
}
