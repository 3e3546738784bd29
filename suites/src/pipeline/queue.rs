//! The queue: several workers share it, and no work is done twice.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use futures::future::try_join_all;

/// The checks of this file.
pub(super) fn table() -> Vec<Check> {
    vec![
        check!(two_workers_do_each_job_once)
            .requires([Http, Database, Standins, Processes])
            .effect(Fault)
            .severity(Critical)
            .alone_with_workers(2),
    ]
}

/// Enough documents at once that workers which do not exclude each other meet.
const DOCUMENTS: usize = 12;

/// Two workers complete every document, and each is parsed and embedded once.
async fn two_workers_do_each_job_once(cx: &Context) -> CheckResult {
    let documents: Vec<_> = (0..DOCUMENTS)
        .map(|_| cx.document().paragraphs(6).build())
        .collect();
    let completed = documents
        .iter()
        .map(async |document| cx.pipeline()?.complete(document).await);
    let completed = try_join_all(completed).await?;
    let standins = cx.standins()?;
    let database = cx.database()?;
    for (document, done) in documents.iter().zip(&completed) {
        let parsed = standins.parser_calls(document.sha256()).await?.len();
        ensure_eq!(
            parsed,
            1,
            "a document was not given to the parser exactly once by two workers"
        );
        let embedded = standins.embedder_calls(document.nonce()).await?.len();
        ensure_eq!(
            embedded,
            1,
            "a document was not embedded exactly once by two workers"
        );
        let finals = database.events_of(done.job_id()).await?;
        let finals = finals
            .iter()
            .filter(|event| event.kind == "finalized")
            .count();
        ensure!(finals <= 1, "a job was finished {finals} times");
    }
    Ok(())
}
