//! Limits: too large documents and too many jobs are refused, and the limits endpoint reports the agreed limits.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, Limits, StatusCodes, Statuses};
use cutover_harness::prelude::*;

use cutover_harness::probe::Response;
use futures::future::try_join_all;

use cutover_suite_support::json::value_at;
use cutover_suite_support::responses::{expect_error_body, expect_retry_after};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(the_size_limits_hold, SIZES)
            .only_where([Condition::UPLOAD_LENGTH])
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(the_concurrent_job_limit_holds)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(uploads_at_once_keep_the_limit)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(finished_jobs_do_not_count_as_active, EARLY_ENDS)
            .only_where([Condition::DAILY_ABOVE_CONCURRENT])
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
        // It exhausts the daily limit of a user, so it needs a supply of users.
        check!(the_daily_limit_is_each_users_own)
            .only_where([Condition::SMALL_DAILY_LIMIT])
            .requires([Http, Database, Minting])
            .reads([read::DOCUMENTS])
            .effect(Effect::WriteTenant)
            .severity(High)
            .advisory(),
    ]
}

/// A document length near a limit.
pub(super) struct SizeCase {
    name: &'static str,
    bytes: fn(&Limits) -> u64,
    status: fn(&Statuses) -> &StatusCodes,
}

impl Named for SizeCase {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Document lengths near the limits.
const SIZES: &[SizeCase] = &[
    SizeCase {
        name: "the_limit_itself",
        bytes: |limits| limits.max_bytes,
        status: |statuses| &statuses.accepted,
    },
    SizeCase {
        name: "one_byte_more",
        bytes: |limits| limits.max_bytes + 1,
        status: |statuses| &statuses.too_large,
    },
    SizeCase {
        name: "the_hard_limit",
        bytes: |limits| limits.hard_max_bytes,
        status: |statuses| &statuses.too_large,
    },
    SizeCase {
        name: "above_the_hard_limit",
        bytes: |limits| limits.hard_max_bytes + 1,
        status: |statuses| &statuses.invalid,
    },
    SizeCase {
        name: "an_empty_file",
        bytes: |_| 0,
        status: |statuses| &statuses.invalid,
    },
];

/// A document is refused exactly from the length that the limits define.
async fn the_size_limits_hold(cx: &Context, case: &SizeCase) -> CheckResult {
    let document = cx.document().build();
    let bytes = (case.bytes)(&cx.contract().limits);
    let fields = &cx.contract().requests.upload;
    let mut registration = fields.body(document.upload());
    fields.bytes_len.put(&mut registration, bytes);
    let reply = cx
        .pipeline()?
        .register_as(&registration)
        .await?
        .expect_status((case.status)(&cx.contract().statuses))?;
    if !reply.is_success() {
        expect_error_body(&reply, cx.contract())?;
    }
    Ok(())
}

/// As many jobs as the limit may be active. The next one is refused, and the limits endpoint
/// reports the same number.
async fn the_concurrent_job_limit_holds(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let contract = cx.contract();
    if contract.has(Endpoint::Limits) {
        let shown = pipeline.limits().await?.expect_status(200)?.json()?;
        cx.report_if_wrong(expect_limits(contract, &shown))?;
    }
    for _ in 0..contract.limits.concurrent_jobs {
        pipeline.accept(cx.document().build().upload()).await?;
    }
    let more = cx.document().build();
    let refusal = pipeline
        .register(more.upload())
        .await?
        .expect_status(&contract.statuses.too_many)?;
    expect_retry_after(&refusal, contract)?;
    let other = cx.pipeline()?;
    other.accept(more.upload()).await?;
    Ok(())
}

/// How often simultaneous uploads are tried: a race that is lost once may be won the next time.
const ROUNDS: usize = 4;

/// Of more simultaneous uploads than the limit, exactly the limit is accepted.
async fn uploads_at_once_keep_the_limit(cx: &Context) -> CheckResult {
    let limits = &cx.contract().limits;
    let limit = limits.concurrent_jobs as usize;
    let pipeline = cx.pipeline()?;
    // Accepted uploads of every round count towards the daily limit.
    let rounds = (limits.daily_uploads as usize / limit).clamp(1, ROUNDS);
    for _ in 0..rounds {
        let accepted = uploads_at_once(cx, &pipeline, limit).await?;
        for document in accepted {
            if !cx.contract().has(Endpoint::DeleteDocument) {
                return Ok(());
            }
            if !pipeline.delete(document).await?.is_success() {
                // Without a deletion, these jobs stay active.
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Registers four times as many documents as the limit at once; returns the ids of those that are accepted.
async fn uploads_at_once(
    cx: &Context,
    pipeline: &Pipeline,
    limit: usize,
) -> CheckResult<Vec<Uuid>> {
    let documents: Vec<_> = (0..4 * limit).map(|_| cx.document().build()).collect();
    let uploads = documents
        .iter()
        .map(|document| pipeline.register(document.upload()));
    let replies = try_join_all(uploads).await?;
    let (accepted, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(Response::is_success);
    ensure_eq!(
        accepted.len(),
        limit,
        "the number of accepted uploads of {} simultaneous ones differs from the limit",
        documents.len()
    );
    for reply in refused {
        expect_retry_after(
            &reply.expect_status(&cx.contract().statuses.too_many)?,
            cx.contract(),
        )?;
    }
    let id = &cx.contract().fields.accepted.document_id;
    let ids = accepted.iter().map(|reply| {
        let body = reply.json()?;
        let id = value_at(id, &body, "the response to a registration")?;
        Ok(id.as_str().unwrap_or_default().parse()?)
    });
    ids.collect()
}

/// An end of a job other than completion.
pub(super) struct EarlyEnd {
    name: &'static str,
    kind: EndKind,
}

enum EndKind {
    Failed,
    Deleted,
}

impl Named for EarlyEnd {
    fn name(&self) -> &'static str {
        self.name
    }

    fn calls(&self) -> Vec<Endpoint> {
        match self.kind {
            EndKind::Failed => Vec::new(),
            EndKind::Deleted => vec![Endpoint::DeleteDocument],
        }
    }
}

const EARLY_ENDS: &[EarlyEnd] = &[
    EarlyEnd {
        name: "failed",
        kind: EndKind::Failed,
    },
    EarlyEnd {
        name: "deleted",
        kind: EndKind::Deleted,
    },
];

/// Jobs that have failed or were deleted do not count against the limit.
async fn finished_jobs_do_not_count_as_active(cx: &Context, case: &EarlyEnd) -> CheckResult {
    let (pipeline, limits) = (cx.pipeline()?, &cx.contract().limits);
    for _ in 0..limits.concurrent_jobs {
        let accepted = pipeline.accept(cx.document().build().upload()).await?;
        match case.kind {
            EndKind::Failed => {
                let other = cx.document().build();
                pipeline.put(&accepted.signed_url, other.bytes()).await?;
                pipeline.until_final(&accepted).await?;
            }
            EndKind::Deleted => {
                let reply = pipeline.delete(accepted.document_id).await?;
                ensure!(
                    reply.is_success(),
                    "{} is answered with {}",
                    reply.request,
                    reply.summary()
                );
            }
        }
    }
    let more = cx.document().build();
    let reply = pipeline.register(more.upload()).await?;
    ensure!(
        reply.is_success(),
        "a user without active jobs cannot upload: {}",
        reply.summary()
    );
    Ok(())
}

/// A user who has reached the daily limit is refused until later. Refused uploads do not count, and other
/// users are not affected.
async fn the_daily_limit_is_each_users_own(cx: &Context) -> CheckResult {
    let contract = cx.contract();
    let (daily, at_once) = (
        contract.limits.daily_uploads as usize,
        contract.limits.concurrent_jobs as usize,
    );
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    for first in (0..daily).step_by(at_once) {
        let documents = (first..daily.min(first + at_once)).map(|_| cx.document().build());
        let documents: Vec<_> = documents.collect();
        try_join_all(documents.iter().map(|each| pipeline.complete(each))).await?;
        // Refused uploads do not count.
        for document in &documents {
            pipeline.register(document.upload()).await?;
        }
    }
    let more = cx.document().build();
    let refusal = pipeline
        .register(more.upload())
        .await?
        .expect_status(&contract.statuses.too_many)?;
    expect_retry_after(&refusal, contract)?;
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure_eq!(
        rows.len(),
        daily,
        "a user with a daily limit of {daily} documents has another number of rows"
    );
    cx.pipeline()?.accept(more.upload()).await?;
    Ok(())
}

fn expect_limits(contract: &Contract, response: &serde_json::Value) -> CheckResult {
    let (fields, limits) = (&contract.fields.limits, &contract.limits);
    let table = [
        (&fields.max_bytes, limits.max_bytes),
        (&fields.concurrent_jobs, u64::from(limits.concurrent_jobs)),
        (&fields.daily_uploads, u64::from(limits.daily_uploads)),
    ];
    for (pointer, expected) in table.into_iter().filter(|(pointer, _)| pointer.is_given()) {
        let found = value_at(pointer, response, "the response of the limits endpoint")?;
        ensure_eq!(
            found,
            &expected,
            "the limits endpoint reports a wrong {}",
            pointer.as_str()
        );
    }
    Ok(())
}
