//! Everything that the database holds about a job, to compare it before and after.

use cutover_harness::contract::{Accepted, Read};
use cutover_harness::prelude::*;
use cutover_harness::probe::{ChunkRow, EventRow, JobRow};

/// What [`Rows::of`] reads, and the check that the document is complete.
pub(crate) const ROWS: [Read; 14] = [
    read::DOCUMENTS,
    read::JOBS,
    read::job::STATE.if_given(),
    read::job::RETRY_COUNT.if_given(),
    read::job::LAST_ERROR.if_given(),
    read::job::PROGRESS.if_given(),
    read::job::CLAIMED_BY.if_given(),
    read::job::LEASE_EXPIRES_AT.if_given(),
    read::job::UPDATED_AT.if_given(),
    read::CHUNKS,
    read::chunk::CHUNK_SHA.if_given(),
    read::chunk::EMBEDDING.if_given(),
    read::chunk::UPDATED_AT.if_given(),
    read::event::CODE,
];

/// Everything that the database holds about a job.
#[derive(PartialEq)]
pub(crate) struct Rows {
    pub(crate) job: Option<JobRow>,
    pub(crate) chunks: Vec<ChunkRow>,
    pub(crate) events: Vec<EventRow>,
}

impl Rows {
    /// The rows of an accepted document.
    pub(crate) async fn of(cx: &Context, accepted: &Accepted) -> CheckResult<Self> {
        let database = cx.database()?;
        Ok(Self {
            job: database.job(accepted.job_id).await?,
            chunks: database.chunks_of(accepted.document_id).await?,
            events: database.events_of(accepted.job_id).await?,
        })
    }
}
