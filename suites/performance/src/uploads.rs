//! Uploads: several large ones at a time need bounded memory.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use cutover_harness::stack::ProcessUsage;
use futures::future::try_join_all;

use crate::measured::{Better, measured, megabytes};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(uploads_need_bounded_memory)
            .requires([Http, Processes])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1)
            .fresh_stack(),
    ]
}

/// The documents that are uploaded at the same time, and the size of each, if the target accepts it.
const UPLOADS: usize = 6;
const LARGE: u64 = 5_000_000;

/// How many times the bytes of the documents the API may need, and how much more.
const COPIES: u64 = 3;
const MORE: u64 = 32_000_000;

/// The API needs at most a few times the memory of the documents that are uploaded at the same time.
async fn uploads_need_bounded_memory(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    pipeline.complete(&cx.document().build()).await?;
    let each = LARGE.min(cx.contract().limits.max_bytes * 9 / 10);
    let bytes = usize::try_from(each).unwrap_or(0);
    let before = peak(cx)?;
    let documents: Vec<_> = (0..UPLOADS)
        .map(|_| cx.document().size_at_least(bytes).build())
        .collect();
    let uploads = documents
        .iter()
        .map(async |document| cx.pipeline()?.upload(document).await);
    try_join_all(uploads).await?;
    let more = peak(cx)?.saturating_sub(before);
    let total: u64 = documents
        .iter()
        .map(|document| document.bytes().len() as u64)
        .sum();
    let allowed = total * COPIES + MORE;
    measured(
        cx,
        "memory of uploads",
        "MB",
        Better::Lower,
        megabytes(more),
    );
    ensure!(
        more <= allowed,
        "{UPLOADS} uploads of {:.0} MB in total need {:.0} MB of memory of the API; at most {:.0} MB is expected",
        megabytes(total),
        megabytes(more),
        megabytes(allowed)
    );
    Ok(())
}

/// The most memory that the API has had.
fn peak(cx: &Context) -> CheckResult<u64> {
    let usage = cx.processes()?.api().identity().and_then(ProcessUsage::of);
    let usage = usage.ok_or_else(|| {
        Stop::not_applicable("the memory of the API cannot be read on this system")
    })?;
    Ok(usage.peak_resident_bytes)
}
