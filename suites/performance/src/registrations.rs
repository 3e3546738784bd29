//! Registrations: a burst of them is answered, and a backlog makes none slow.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use futures::future::try_join_all;

use crate::looks::two_looks;
use crate::measured::{Better, measured, median};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_burst_is_answered_quickly)
            .requires([Http, Minting])
            .effect(Effect::Load)
            .expected_duration(secs(3))
            .severity(High)
            .measures(),
    ]
}

/// The registrations of a burst, each of a user of its own.
const BURST: u32 = 50;

/// The registrations whose time is measured.
const MEASURED: usize = 5;

/// What a registration may take in a burst.
const WITHIN: Duration = secs(10);

/// How many times as long a registration may take beside a backlog, and how much longer.
const TIMES: f64 = 4.0;
const LONGER: Duration = Duration::from_millis(300);

/// Every registration of a burst is answered, and a registration beside the backlog is as fast as before it.
async fn a_burst_is_answered_quickly(cx: &Context) -> CheckResult {
    registration_time(cx).await?;
    let before = registration_time(cx).await?;
    two_looks(async || {
        let users = (0..BURST).map(|_| cx.pipeline()).collect::<CheckResult<Vec<_>>>()?;
        let began = Instant::now();
        let sent = users.iter().map(async |user| {
            let document = cx.document().build();
            user.try_register(document.upload(), WITHIN).await
        });
        let responses = try_join_all(sent).await?;
        let took = began.elapsed();
        let refused = responses.iter().filter(|response| {
            response.as_ref().map_or(true, |response| response.status >= 500 && response.status != 503)
        });
        let refused = refused.count();
        let beside = registration_time(cx).await?;
        measured(cx, "burst of registrations", "registrations/s", Better::Higher, f64::from(BURST) / took.as_secs_f64());
        measured(cx, "registration beside a backlog", "ms", Better::Lower, beside.as_secs_f64() * 1e3);
        if refused > 0 {
            return Ok(Some(format!(
                "of {BURST} registrations at the same time, {refused} get an error or no answer within {} s",
                WITHIN.as_secs()
            )));
        }
        let is_slow = beside > before.mul_f64(TIMES) && beside > before + LONGER;
        Ok(is_slow.then(|| {
            format!(
                "beside {BURST} documents that are not complete, a registration takes {beside:.0?}, and {before:.0?} before: \
                 it takes longer the more documents wait"
            )
        }))
    })
    .await
}

/// The median time of a registration, each of a user of its own.
pub(crate) async fn registration_time(cx: &Context) -> CheckResult<Duration> {
    let mut times = Vec::new();
    for _ in 0..MEASURED {
        let (user, document) = (cx.pipeline()?, cx.document().build());
        let began = Instant::now();
        user.accept(document.upload()).await?;
        times.push(began.elapsed());
    }
    Ok(median(times))
}
