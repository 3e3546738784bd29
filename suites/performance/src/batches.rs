//! Batches: the chunks of a document are embedded together, not one by one.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;

use crate::measured::{Better, measured};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(chunks_are_embedded_in_batches)
            .requires([Http, Standins])
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// The paragraphs of the document: they make many chunks.
const PARAGRAPHS: usize = 120;

/// The fewest chunks that tell batches from single calls.
const ENOUGH: usize = 12;

/// A call to the embedder has many chunks.
async fn chunks_are_embedded_in_batches(cx: &Context) -> CheckResult {
    if cx.contract().embedder.max_batch == 1 {
        return Err(Stop::not_applicable(
            "the embedder takes one input per call",
        ));
    }
    let document = cx.document().pages(6).paragraphs(PARAGRAPHS).build();
    cx.pipeline()?.complete(&document).await?;
    let calls = cx.standins()?.embedder_calls(document.nonce()).await?;
    let sizes: Vec<usize> = calls.iter().map(|call| call.inputs.len()).collect();
    let inputs: usize = sizes.iter().sum();
    if inputs < ENOUGH {
        let reason = format!(
            "the document has {inputs} chunks; {ENOUGH} are needed to tell batches from single calls"
        );
        return Err(anyhow::anyhow!(reason).into());
    }
    let per_call = f64::from(u32::try_from(inputs).unwrap_or(u32::MAX))
        / f64::from(u32::try_from(sizes.len()).unwrap_or(u32::MAX));
    measured(
        cx,
        "chunks per call of the embedder",
        "chunks",
        Better::Higher,
        per_call,
    );
    let largest = sizes.iter().max().copied().unwrap_or(0);
    ensure!(
        largest > 1,
        "the embedder is called once for each of {inputs} chunks: {} calls instead of a few",
        calls.len()
    );
    Ok(())
}
