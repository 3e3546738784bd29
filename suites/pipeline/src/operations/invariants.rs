//! Invariants: conditions that hold over all rows and objects at any time.

use cutover_fixtures::prelude::*;
use cutover_harness::invariant::{self, Invariant, Scope, Surfaces};
use cutover_harness::prelude::*;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(invariants_hold_over_every_kind_of_document)
            .requires([Http, Database, Storage])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(holds_over_everything, invariant::ALL)
            .requires([Http, Database, Storage])
            .effect(Effect::WriteTenant)
            .severity(High)
            .last(),
    ]
}

/// The invariants hold after documents completed, failed, were refused as duplicates, deleted and uploaded again.
async fn invariants_hold_over_every_kind_of_document(cx: &Context) -> CheckResult {
    let tenants = [cx.tenant()?, cx.tenant()?];
    let [pipeline, other] = [
        cx.pipeline_as(tenants[0].clone())?,
        cx.pipeline_as(tenants[1].clone())?,
    ];
    let document = cx.document().pages(2).table(3, 3).build();
    let complete = pipeline.complete(&document).await?;
    pipeline
        .register(document.upload())
        .await?
        .expect_status(&cx.contract().statuses.duplicate)?;
    other.complete(&document).await?;
    let broken = cx.document().build();
    let accepted = pipeline.accept(broken.upload()).await?;
    let wrong_bytes = vec![b'x'; broken.bytes().len()];
    pipeline.put(&accepted.signed_url, wrong_bytes).await?;
    pipeline.until_final(&accepted).await?;
    if cx.contract().has(Endpoint::DeleteDocument) {
        let deleted = other.complete(&cx.document().build()).await?;
        other.delete(deleted.document_id()).await?;
    }
    pipeline.complete(&broken).await?;
    let left = cx.database()?.document(complete.document_id()).await?;
    ensure!(
        left.is_some(),
        "a complete document is missing after others failed"
    );
    let scope = Scope::users(tenants.iter().map(|tenant| tenant.user_id));
    invariant::check(&cx.database()?, &cx.storage()?, cx.contract(), &scope).await
}

/// The invariant holds over all documents of the run.
async fn holds_over_everything(cx: &Context, invariant: &Invariant) -> CheckResult {
    let database = cx.database()?;
    // Without a document every invariant holds trivially, so a check that runs alone creates one.
    if database
        .count("SELECT 1 FROM {schema}.documents", &[])
        .await?
        == 0
    {
        cx.pipeline()?.complete(&cx.document().build()).await?;
    }
    let surfaces = Surfaces {
        database: &database,
        storage: &cx.storage()?,
        contract: cx.contract(),
        scope: &Scope::everything(),
    };
    invariant.check(&surfaces).await
}
