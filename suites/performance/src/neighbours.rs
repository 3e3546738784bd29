//! Neighbours: one user's flood of requests makes another user's requests hardly slower.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::load::load_request;
use cutover_harness::load_generator::Load;
use cutover_harness::prelude::*;
use cutover_suite_support::own_database::pass;
use futures::future::join;

use crate::looks::two_looks;
use crate::measured::{Better, measured};
use crate::registrations::registration_time;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_flood_of_one_user_slows_no_other)
            .requires([Http, Minting])
            .effect(Effect::Load)
            .expected_duration(secs(3))
            .severity(High)
            .measures(),
    ]
}

/// The connections of the flood.
const CONNECTIONS: usize = 8;

/// How long the flood lasts.
const FLOOD: Duration = secs(3);

/// How many times as long the registration of another user may take, and how much longer.
const TIMES: f64 = 5.0;
const LONGER: Duration = Duration::from_millis(400);

/// While one user sends registrations back to back, the registrations of another user are answered in time.
async fn a_flood_of_one_user_slows_no_other(cx: &Context) -> CheckResult {
    registration_time(cx).await?;
    two_looks(async || {
        let quiet = registration_time(cx).await?;
        let beside = beside_a_flood(cx).await?;
        measured(cx, "registration beside a flood", "ms", Better::Lower, beside.as_secs_f64() * 1e3);
        let is_slow = beside > quiet.mul_f64(TIMES) && beside > quiet + LONGER;
        Ok(is_slow.then(|| {
            format!(
                "while one user sends registrations on {CONNECTIONS} connections, a registration of another user takes \
                 {beside:.0?}, and {quiet:.0?} without them"
            )
        }))
    })
    .await
}

/// The time of a registration while another user floods the API with registrations.
async fn beside_a_flood(cx: &Context) -> CheckResult<Duration> {
    let (flooding, document) = (cx.pipeline()?, cx.document().build());
    let body = cx.contract().requests.upload.body(document.upload());
    let request = flooding.request(Endpoint::Upload, "")?.json(&body);
    let load = Load {
        connections: CONNECTIONS,
        ..Load::new(load_request(&request)?)
    };
    let flood = cx.closed_load("a flood of registrations of one user", load, FLOOD);
    let other = async {
        pass(cx, "the flood has begun", secs(1)).await?;
        registration_time(cx).await
    };
    let (flooded, beside) = join(flood, other).await;
    flooded?;
    beside
}
