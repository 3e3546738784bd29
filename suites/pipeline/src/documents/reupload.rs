//! Re-upload: a document that is uploaded again is processed from scratch.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::standin::EmbedderBehaviour;

use cutover_suite_support::outcomes::{expect_whole_text, hits_if_searchable, parsed_text};
use cutover_suite_support::texts::parse_as;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_uploaded_again_has_its_new_text, FIRST_ENDS)
            .requires([Http, Database, Storage, Standins])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// How the first upload ends.
pub(super) struct FirstEnd {
    name: &'static str,
    is_failure: bool,
}

impl Named for FirstEnd {
    fn name(&self) -> &'static str {
        self.name
    }

    fn calls(&self) -> Vec<Endpoint> {
        let deletes = (!self.is_failure).then_some(Endpoint::DeleteDocument);
        deletes.into_iter().collect()
    }
}

const FIRST_ENDS: &[FirstEnd] = &[
    FirstEnd {
        name: "after_its_deletion",
        is_failure: false,
    },
    FirstEnd {
        name: "after_its_failure",
        is_failure: true,
    },
];

/// More sections than the second text has, so that leftovers would be visible.
const SECTIONS: usize = 6;

/// A document that is uploaded again has only the text of its second upload.
async fn a_document_uploaded_again_has_its_new_text(cx: &Context, case: &FirstEnd) -> CheckResult {
    let document = cx.document().build();
    let (old, new) = (
        format!("before{}", document.nonce()),
        format!("after{}", document.nonce()),
    );
    let first = format!("# Section\n\nThe first text has the word {old}.\n\n").repeat(SECTIONS);
    let second = format!("# Section\n\nThe second text has the word {new}.\n");
    let pipeline = cx.pipeline()?;
    let parsing = parse_as(cx, &document, &first).await?;
    if case.is_failure {
        let refusal = EmbedderBehaviour::Refuse {
            status: 400,
            marker: "rejected by the check".to_owned(),
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
            "a document that the embedder rejects does not fail: {}",
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
    parsing.withdraw().await?;
    let parsing = parse_as(cx, &document, &second).await?;
    let accepted = pipeline.complete(&document).await?.accepted;
    parsing.withdraw().await?;
    expect_text(cx, &pipeline, &accepted, &second).await?;
    for hit in hits_if_searchable(cx, &pipeline, &old, 10).await? {
        ensure!(
            !hit.to_string().contains(&old),
            "a document that was uploaded again is found by its previous text: {hit}"
        );
    }
    Ok(())
}

async fn expect_text(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    text: &str,
) -> CheckResult {
    if let Some(stored) = parsed_text(cx, pipeline, accepted).await? {
        ensure_eq!(
            stored,
            text,
            "a document that was uploaded again has a parsed text other than its new one"
        );
    }
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    expect_whole_text(cx, text, &chunks)
}
