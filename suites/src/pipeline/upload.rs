//! Duplicates: one document of a user is one document, however often it is sent.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use cutover_harness::probe::Reply;
use futures::future::try_join_all;

use super::reading::{at, is_a_described_error};

/// The checks of this file.
pub(super) fn table() -> Vec<Check> {
    vec![
        check!(a_duplicate_is_refused)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(parallel_duplicates_make_one_document)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// How many identical uploads are sent at a time.
const AT_ONCE: usize = 8;

/// A document that is complete is not taken again, and the refusal says which one it is.
async fn a_duplicate_is_refused(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    pipeline.complete(&document).await?;
    let again = pipeline
        .register(document.upload().registration())
        .await?
        .expect_status(409)?;
    is_a_described_error(&again, cx.contract())?;
    let body = again.json()?;
    let fields = &cx.contract().fields.error;
    let kind = at(&fields.error_type, &body, "the refusal of a duplicate")?;
    ensure_eq!(
        kind,
        "duplicate_document",
        "the refusal of a duplicate calls itself something else"
    );
    let title = at(&fields.document_title, &body, "the refusal of a duplicate")?;
    ensure_eq!(
        title,
        &document.upload().filename,
        "the refusal names another document"
    );
    at(&fields.last_uploaded, &body, "the refusal of a duplicate")?;
    let stranger = cx.pipeline()?;
    stranger.accept(document.upload()).await?;
    Ok(())
}

/// Of identical uploads at the same time one is taken, and one row is made.
async fn parallel_duplicates_make_one_document(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let uploads = (0..AT_ONCE).map(|_| pipeline.register(document.upload().registration()));
    let replies: Vec<Reply> = try_join_all(uploads).await?;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    let mut expected = vec![409; AT_ONCE];
    expected[0] = 200;
    ensure_eq!(
        statuses,
        expected,
        "of {AT_ONCE} identical uploads at once not exactly one is taken"
    );
    let database = cx.database()?;
    let documents = database.documents_of(tenant.user_id).await?;
    ensure_eq!(
        documents.len(),
        1,
        "identical uploads do not make exactly one row"
    );
    let jobs = database.jobs_of(documents[0].document_id).await?;
    ensure_eq!(
        jobs.len(),
        1,
        "identical uploads do not make exactly one job"
    );
    Ok(())
}
