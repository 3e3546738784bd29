//! Limits: what is too large or too much is refused, and the limits endpoint tells the truth.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, Limits};
use cutover_harness::prelude::*;

use cutover_harness::probe::Reply;
use futures::future::try_join_all;

use cutover_suite_support::json::value_at;
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(the_size_limits_hold, OVERSIZED)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(the_concurrent_job_limit_holds)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(uploads_at_once_keep_the_limit)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(finished_jobs_do_not_count_as_active, OVER)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        // It uses up a user, of whom there must be more than enough.
        check!(the_daily_limit_is_each_users_own)
            .requires([Http, Database, Minting])
            .effect(WriteTenant)
            .severity(High)
            .advisory(),
    ]
}

/// A length in relation to a limit.
pub(super) struct Oversized {
    name: &'static str,
    bytes: fn(&Limits) -> u64,
    status: u16,
}

impl Named for Oversized {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Lengths around the limits.
const OVERSIZED: &[Oversized] = &[
    Oversized {
        name: "the_limit_itself",
        bytes: |limits| limits.max_bytes,
        status: 200,
    },
    Oversized {
        name: "one_byte_more",
        bytes: |limits| limits.max_bytes + 1,
        status: 413,
    },
    Oversized {
        name: "the_hard_limit",
        bytes: |limits| limits.hard_max_bytes,
        status: 413,
    },
    Oversized {
        name: "above_the_hard_limit",
        bytes: |limits| limits.hard_max_bytes + 1,
        status: 422,
    },
    Oversized {
        name: "an_empty_file",
        bytes: |_| 0,
        status: 422,
    },
];

/// A document is refused for its length exactly where the limits say.
async fn the_size_limits_hold(cx: &Context, case: &Oversized) -> CheckResult {
    let document = cx.document().build();
    let bytes = (case.bytes)(&cx.contract().limits);
    let said = &cx.contract().requests.upload;
    said.bytes_len.applies("how long a document is")?;
    let mut registration = said.body(document.upload());
    said.bytes_len.put(&mut registration, bytes);
    let reply = cx
        .pipeline()?
        .register_as(&registration)
        .await?
        .expect_status(case.status)?;
    if !reply.is_success() {
        expect_error_body(&reply, cx.contract())?;
    }
    Ok(())
}

/// As many jobs as the limit says may be active; the next is told when to come
/// again, and the limits endpoint names that very number.
async fn the_concurrent_job_limit_holds(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let contract = cx.contract();
    said_limits_are(
        contract,
        &pipeline.limits().await?.expect_status(200)?.json()?,
    )?;
    for _ in 0..contract.limits.concurrent_jobs {
        pipeline.accept(cx.document().build().upload()).await?;
    }
    let more = cx.document().build();
    let refusal = pipeline.register(more.upload()).await?.expect_status(429)?;
    says_when_to_come_again(contract, &refusal)?;
    let other = cx.pipeline()?;
    other.accept(more.upload()).await?;
    Ok(())
}

/// Of more uploads at the same time than may be active, exactly so many are taken.
async fn uploads_at_once_keep_the_limit(cx: &Context) -> CheckResult {
    let limit = cx.contract().limits.concurrent_jobs as usize;
    let pipeline = cx.pipeline()?;
    let documents: Vec<_> = (0..4 * limit).map(|_| cx.document().build()).collect();
    let uploads = documents
        .iter()
        .map(|document| pipeline.register(document.upload()));
    let replies = try_join_all(uploads).await?;
    let taken = replies.iter().filter(|reply| reply.is_success()).count();
    ensure_eq!(
        taken,
        limit,
        "of {} different uploads at once another number is taken than may be active",
        documents.len()
    );
    for reply in replies.into_iter().filter(|reply| !reply.is_success()) {
        says_when_to_come_again(cx.contract(), &reply.expect_status(429)?)?;
    }
    Ok(())
}

/// A way for a job to be over that did not go well.
pub(super) struct Over {
    name: &'static str,
    how: How,
}

enum How {
    Failed,
    Deleted,
}

impl Named for Over {
    fn name(&self) -> &'static str {
        self.name
    }
}

const OVER: &[Over] = &[
    Over {
        name: "failed",
        how: How::Failed,
    },
    Over {
        name: "deleted",
        how: How::Deleted,
    },
];

/// As many jobs as may be active are over, and leave their user as many again.
async fn finished_jobs_do_not_count_as_active(cx: &Context, case: &Over) -> CheckResult {
    let (pipeline, limits) = (cx.pipeline()?, &cx.contract().limits);
    if limits.daily_uploads <= limits.concurrent_jobs {
        return Err(Stop::not_applicable(
            "a user may not upload more in a day than at once",
        ));
    }
    for _ in 0..limits.concurrent_jobs {
        let accepted = pipeline.accept(cx.document().build().upload()).await?;
        match case.how {
            How::Failed => {
                let other = cx.document().build();
                pipeline.put(&accepted.signed_url, other.bytes()).await?;
                pipeline.until_final(&accepted).await?;
            }
            How::Deleted => {
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
        "a user none of whose jobs is active may upload nothing: {}",
        reply.summary()
    );
    Ok(())
}

/// A user who has uploaded as much as a day allows waits, loses nothing by asking,
/// and keeps nobody else from uploading.
async fn the_daily_limit_is_each_users_own(cx: &Context) -> CheckResult {
    let contract = cx.contract();
    let (daily, at_once) = (
        contract.limits.daily_uploads as usize,
        contract.limits.concurrent_jobs as usize,
    );
    if daily > MOST_TO_USE_UP {
        let reason = format!("using up {daily} uploads takes too long");
        return Err(Stop::precondition_missing(reason));
    }
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    for first in (0..daily).step_by(at_once) {
        let documents = (first..daily.min(first + at_once)).map(|_| cx.document().build());
        let documents: Vec<_> = documents.collect();
        try_join_all(documents.iter().map(|each| pipeline.complete(each))).await?;
        // What is refused is no upload.
        for document in &documents {
            pipeline.register(document.upload()).await?;
        }
    }
    let more = cx.document().build();
    let refusal = pipeline.register(more.upload()).await?.expect_status(429)?;
    says_when_to_come_again(contract, &refusal)?;
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure_eq!(
        rows.len(),
        daily,
        "a user who may upload {daily} documents has another number of rows"
    );
    cx.pipeline()?.accept(more.upload()).await?;
    Ok(())
}

/// As many uploads as can be used up while a check waits.
const MOST_TO_USE_UP: usize = 20;

/// The longest that a daily limit makes anybody wait.
const A_DAY: u64 = 24 * 60 * 60;

fn says_when_to_come_again(contract: &Contract, refusal: &Reply) -> CheckResult {
    expect_error_body(refusal, contract)?;
    let wait = refusal
        .header("retry-after")
        .and_then(|text| text.parse::<u64>().ok());
    ensure!(
        wait.is_some_and(|seconds| (1..=A_DAY).contains(&seconds)),
        "the refusal does not say after how many seconds to come again: Retry-After is {:?}",
        refusal.header("retry-after")
    );
    Ok(())
}

fn said_limits_are(contract: &Contract, said: &serde_json::Value) -> CheckResult {
    let (fields, limits) = (&contract.fields.limits, &contract.limits);
    let table = [
        (&fields.max_bytes, limits.max_bytes),
        (&fields.concurrent_jobs, u64::from(limits.concurrent_jobs)),
        (&fields.daily_uploads, u64::from(limits.daily_uploads)),
    ];
    for (pointer, expected) in table.into_iter().filter(|(pointer, _)| pointer.is_given()) {
        let found = value_at(pointer, said, "the answer of the limits endpoint")?;
        ensure_eq!(
            found,
            &expected,
            "the limits endpoint names another {}",
            pointer.as_str()
        );
    }
    Ok(())
}
