//! Once more: a document that is uploaded again is worked on as if it were the first time.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    Callback, EmbedderBehaviour, ParsedText, ParserBehaviour, ScriptGuard,
};

use cutover_suite_support::outcomes::{parsed_text, search_hits, words};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_uploaded_again_has_its_new_text, ENDS)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// How the first upload of a document came to its end.
pub(super) struct End {
    name: &'static str,
    is_failure: bool,
}

impl Named for End {
    fn name(&self) -> &'static str {
        self.name
    }
}

const ENDS: &[End] = &[
    End {
        name: "after_its_deletion",
        is_failure: false,
    },
    End {
        name: "after_its_failure",
        is_failure: true,
    },
];

/// More of it than of the second text, so that something would be left over.
const SECTIONS: usize = 6;

/// A document that is uploaded again has the text that it is given then, and nothing of the one before.
async fn a_document_uploaded_again_has_its_new_text(cx: &Context, case: &End) -> CheckResult {
    let document = cx.document().build();
    let (old, new) = (
        format!("before{}", document.nonce()),
        format!("after{}", document.nonce()),
    );
    let first = format!("# Section\n\nIt was said {old} then.\n\n").repeat(SECTIONS);
    let second = format!("# Section\n\nIt is said {new} now.\n");
    let pipeline = cx.pipeline()?;
    let reading = reads(cx, &document, &first).await?;
    if case.is_failure {
        let refusal = EmbedderBehaviour::Refuse {
            status: 400,
            marker: "not today".to_owned(),
            retry_after_s: None,
        };
        let script = cx
            .standins()?
            .script_embedder(old.as_str(), refusal)
            .await?;
        let accepted = pipeline.upload(&document).await?;
        let failed = pipeline.until_final(&accepted).await?;
        ensure!(
            cx.contract().vocabulary.is_failure(&failed.status),
            "a document that the embedder refuses does not fail: {}",
            failed.summary()
        );
        script.withdraw().await?;
    } else {
        let done = pipeline.complete(&document).await?;
        let reply = pipeline.delete(done.document_id()).await?;
        ensure!(
            reply.is_success(),
            "{} is answered with {}",
            reply.request,
            reply.summary()
        );
    }
    reading.withdraw().await?;
    let reading = reads(cx, &document, &second).await?;
    let accepted = pipeline.complete(&document).await?.accepted;
    reading.withdraw().await?;
    has_the_text(cx, &pipeline, &accepted, &second).await?;
    for hit in search_hits(cx, &pipeline, &old, 10).await? {
        ensure!(
            !hit.to_string().contains(&old),
            "a document that was uploaded again is found by what it said before: {hit}"
        );
    }
    Ok(())
}

/// The parser reads this text in the document, whatever its file says.
async fn reads(cx: &Context, document: &Document, text: &str) -> CheckResult<ScriptGuard> {
    let text = text.to_owned();
    let behaviour = ParserBehaviour {
        callback: Callback {
            text: ParsedText::Literal { text },
            ..Callback::default()
        },
        ..ParserBehaviour::default()
    };
    let standins = cx.standins()?;
    Ok(standins.script_parser(document.sha256(), behaviour).await?)
}

async fn has_the_text(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    text: &str,
) -> CheckResult {
    ensure_eq!(
        parsed_text(cx, pipeline, accepted).await?,
        text,
        "a document that was uploaded again is stored with another text than it has now"
    );
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    let joined: String = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    ensure_eq!(
        words(&joined),
        words(text),
        "a document that was uploaded again has chunks of another text than it has now"
    );
    Ok(())
}
