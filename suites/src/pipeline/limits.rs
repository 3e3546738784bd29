//! Limits: what is too large or too much is refused, and the limits endpoint tells the truth.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, Limits};
use cutover_harness::prelude::*;

use super::reading::{at, is_a_described_error};

/// The checks of this file.
pub(super) fn table() -> Vec<Check> {
    vec![
        check!(the_size_limits_hold, OVERSIZED)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(the_concurrent_job_limit_holds)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
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
        name: "nothing",
        bytes: |_| 0,
        status: 422,
    },
];

/// A document is refused for its length exactly where the limits say.
async fn the_size_limits_hold(cx: &Context, case: &Oversized) -> CheckResult {
    let document = cx.document().build();
    let bytes = (case.bytes)(&cx.contract().limits);
    let registration = document
        .upload()
        .registered_as(|body| body["bytes_len"] = bytes.into());
    let reply = cx
        .pipeline()?
        .register(registration)
        .await?
        .expect_status(case.status)?;
    if !reply.is_success() {
        is_a_described_error(&reply, cx.contract())?;
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
    let refusal = pipeline
        .register(more.upload().registration())
        .await?
        .expect_status(429)?;
    is_a_described_error(&refusal, contract)?;
    let wait = refusal
        .header("retry-after")
        .and_then(|text| text.parse::<u64>().ok());
    ensure!(
        wait.is_some_and(|seconds| seconds > 0),
        "the refusal does not say after how many seconds to come again"
    );
    let other = cx.pipeline()?;
    other.accept(more.upload()).await?;
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
        let found = at(pointer, said, "the answer of the limits endpoint")?;
        ensure_eq!(
            found,
            &expected,
            "the limits endpoint names another {}",
            pointer.as_str()
        );
    }
    Ok(())
}
