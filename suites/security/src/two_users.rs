//! Two users: what every statement about one user and another relies on.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use futures::future::try_join;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(two_users_each_complete_a_document)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical)
            .foundation(),
    ]
}

/// Each of two users completes a document and is shown its job. What is refused to another user says something only then.
async fn two_users_each_complete_a_document(cx: &Context) -> CheckResult {
    let complete = async || {
        let pipeline = cx.pipeline()?;
        let done = pipeline.complete(&cx.document().build()).await?;
        pipeline.view(&done.accepted).await
    };
    try_join(complete(), complete()).await.map(drop)
}
