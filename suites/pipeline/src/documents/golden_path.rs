//! Golden path: what every check that needs a completed document relies on.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(an_uploaded_document_becomes_complete)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical)
            .foundation(),
    ]
}

/// A document that is registered and uploaded becomes complete.
async fn an_uploaded_document_becomes_complete(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(3).build();
    cx.pipeline()?.complete(&document).await?;
    Ok(())
}
