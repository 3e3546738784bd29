//! Text fidelity: the text from the parser is stored and chunked unchanged, whatever its layout and length.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, JobView};
use cutover_harness::prelude::*;
use cutover_harness::standin::{Callback, ParsedText, ParserBehaviour};
use serde::Deserialize;

use super::document_formats::expect_chunk_rules;
use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::outcomes;
use cutover_suite_support::outcomes::{expect_complete, give_up_within, parsed_text};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(every_character_of_a_text_is_kept, TEXTS)
            .requires([Http, Database, Storage, Standins])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_long_text_arrives_whole)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .reads([read::CHUNKS, read::chunk::EMBEDDING])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(4))
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_text_that_cannot_be_stored_ends_its_job)
            .requires([Http, Database, Storage, Standins])
            .reads(read::NOTHING)
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(a_document_of_any_name_arrives)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A text that a parser may return.
pub(super) struct Text {
    name: &'static str,
    text: fn() -> String,
}

impl Named for Text {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Texts with different layouts that parsers return.
const TEXTS: &[Text] = &[
    Text {
        name: "headings_of_every_level",
        text: || {
            let section = |level: usize| {
                let heading = "#".repeat(level);
                format!("{heading} Section {level}\n\nThe excess is {level}00.\n\n")
            };
            (1..=6).map(section).collect()
        },
    },
    Text {
        name: "runs_of_blanks",
        text: || {
            let line = "premium      1 200.00\tper  year\u{a0}\u{a0}net";
            format!("# Figures\n\n{line}\n    {line}\n\t- {line}\n")
        },
    },
    Text {
        name: "blank_passages",
        text: || format!("\n\n# First\n\na\n{}# Second\n\nb\n", "\n".repeat(30)),
    },
    Text {
        name: "windows_line_ends",
        text: || "# One\r\n\r\nfirst\r\nsecond\r\n# Two\r\nthird\r\n".to_owned(),
    },
    Text {
        name: "blanks_at_the_end_of_lines",
        text: || "# Terms  \n\nfirst line  \nsecond line\t\n  \nthird line \u{a0}\n".to_owned(),
    },
    Text {
        name: "unicode_line_separators",
        text: || "# One\n\na\u{2028}b\u{2029}c\u{85}d\u{b}e\u{1c}f\rg\nh\n".to_owned(),
    },
    Text {
        name: "a_byte_order_mark",
        text: || "\u{feff}# One\n\nfirst\n".to_owned(),
    },
    Text {
        name: "unusual_characters",
        text: || {
            let odd = "e\u{301} \u{e9} \u{fb01} \u{2460} \u{200b}\u{feff}\u{ad}\u{1f469}\u{200d}\u{1f52c} \u{10fffd}";
            format!("# Odd\n\n{odd}\n\"quoted\" \\ back & <b>bold</b> $1 {{}} %s\n#no-heading\n")
        },
    },
];

/// The outcome of a document for which the parser returns this text.
async fn outcome_of(cx: &Context, text: &str) -> CheckResult<(Pipeline, Accepted, JobView)> {
    let document = cx.document().build();
    let behaviour = ParserBehaviour::calling_back(Callback {
        text: ParsedText::Literal {
            text: text.to_owned(),
        },
        ..Callback::default()
    });
    let script = cx
        .standins()?
        .script_parser(document.sha256(), behaviour)
        .await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let job = pipeline.until_final(&accepted).await?;
    script.withdraw().await?;
    Ok((pipeline, accepted, job))
}

/// The stored text is the parser's text, and its chunks omit nothing but whitespace.
async fn every_character_of_a_text_is_kept(cx: &Context, case: &Text) -> CheckResult {
    let text = (case.text)();
    let (pipeline, accepted, _) = outcome_of(cx, &text).await?;
    pipeline.until_complete(&accepted).await?;
    if let Some(stored) = parsed_text(cx, &pipeline, &accepted).await? {
        ensure_eq!(
            stored,
            text,
            "the stored text differs from the parser's text"
        );
    }
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    for chunk in &chunks {
        expect_chunk_rules(cx, chunk)?;
        ensure!(
            text.contains(chunk.text.trim()),
            "the text of chunk {} is not in the parsed text: {:?}",
            chunk.chunk_ord,
            chunk.text
        );
    }
    let texts: Vec<_> = chunks.iter().map(|chunk| &chunk.text).collect();
    let difference = cx.contract().chunker.difference(&text, &texts);
    ensure!(
        difference.is_none(),
        "the chunks differ from the parsed text: {}",
        difference.unwrap_or_default()
    );
    Ok(())
}

/// More sections than a page of rows has, with more bytes than frameworks accept by default.
const SECTIONS: usize = 1_050;
const SECTION_CHARS: usize = 2_100;

/// A stored chunk of a long text, without its vector, which would be large.
#[derive(Deserialize)]
struct Stored {
    text: String,
    has_vector: bool,
}

/// Attempts: if the check's callback is too late, the pipeline submits again and uses the parser's own callback.
const TRIES: usize = 3;

/// Uploads a document and sends this text as its callback. It is too long for a script of the parser.
async fn upload_with_text(cx: &Context, text: &str) -> CheckResult<AwaitingCallback> {
    let mut tries = 1;
    loop {
        let awaiting = AwaitingCallback::new(cx).await?;
        awaiting.send_text(text).await?;
        let calls = cx.standins()?.parser_calls(awaiting.document.sha256());
        if calls.await?.len() == 1 || tries == TRIES {
            return Ok(awaiting);
        }
        tries += 1;
    }
}

/// A long text is not truncated by a framework, a client or a page of rows.
async fn a_long_text_arrives_whole(cx: &Context) -> CheckResult {
    let section = |n: usize| {
        let word = format!("clause{n}x").repeat(SECTION_CHARS / 8 + 1);
        format!("# Section {n}\n\n{}\n\n", &word[..SECTION_CHARS])
    };
    let text: String = (0..SECTIONS).map(section).collect();
    let awaiting = upload_with_text(cx, &text).await?;
    let AwaitingCallback {
        pipeline, accepted, ..
    } = &awaiting;
    let vocabulary = &cx.contract().vocabulary;
    let within = give_up_within(cx.contract());
    let job = pipeline
        .until(accepted, "the job reaches a final status", within, |job| {
            vocabulary.is_final(&job.status, job.state.as_deref())
        })
        .await?;
    ensure_eq!(
        job.status,
        vocabulary.complete,
        "a document with a long text does not complete: {}",
        job.summary()
    );
    let whole = parsed_text(cx, pipeline, accepted).await?;
    ensure!(
        whole.is_none_or(|whole| whole == text),
        "a long text is not stored as the parser returned it"
    );
    let query = "SELECT text, embedding IS NOT NULL AS has_vector FROM {schema}.document_chunks \
                 WHERE document_id = $1 ORDER BY chunk_ord";
    let stored: Vec<Stored> = cx
        .database()?
        .rows(query, &[accepted.document_id.into()])
        .await?;
    let texts: Vec<_> = stored.iter().map(|chunk| &chunk.text).collect();
    let difference = cx.contract().chunker.difference_in_words(&text, &texts);
    ensure!(
        difference.is_none(),
        "the {} chunks of a long text do not contain the whole text: {}",
        stored.len(),
        difference.unwrap_or_default()
    );
    let without_vector = stored.iter().filter(|chunk| !chunk.has_vector).count();
    ensure_eq!(without_vector, 0, "chunks of a long text have no vector");
    // Later checks over all documents need not read this much text again.
    if cx.contract().has(Endpoint::DeleteDocument) {
        pipeline.delete(accepted.document_id).await?;
    }
    Ok(())
}

/// A text with a character that the database cannot store still leads to a final status.
async fn a_text_that_cannot_be_stored_ends_its_job(cx: &Context) -> CheckResult {
    let (pipeline, accepted, job) = outcome_of(cx, "# Odd\n\nbefore\u{0}after\n").await?;
    if job.status == cx.contract().vocabulary.complete {
        let text = parsed_text(cx, &pipeline, &accepted).await?;
        ensure!(
            text.as_ref()
                .is_none_or(|text| text.contains("before") && text.contains("after")),
            "the text around the character is lost: {text:?}"
        );
    }
    Ok(())
}

/// A document completes whatever its file name.
async fn a_document_of_any_name_arrives(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let mut upload = document.upload().clone();
    "Überschuß d'été \"保険証券\" ; %0D%0A \\ פוליסה 🦀.pdf".clone_into(&mut upload.filename);
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(upload).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    Ok(())
}
