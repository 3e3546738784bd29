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

/// A document that is registered and uploaded becomes complete, and the route that its owner asks first can be read.
async fn an_uploaded_document_becomes_complete(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(3).build();
    let pipeline = cx.pipeline()?;
    let done = pipeline.complete(&document).await?;
    let ways = pipeline.ways();
    let Some(first) = ways.first() else {
        return Ok(());
    };
    // The wait reads another way where the first one fails; all checks about jobs rely on the first one.
    match pipeline.standing(*first, &done.accepted).await {
        // A route that is optional and does not exist says nothing.
        Err(Stop::Skip { .. }) => Ok(()),
        shown => shown.map(drop),
    }
}
