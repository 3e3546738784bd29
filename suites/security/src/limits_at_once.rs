//! Limits at once: many requests at one moment, to two processes, keep every limit, from zero and from one below.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::stack::{ExtraApi, Overrides};
use futures::future::try_join_all;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(requests_at_one_moment_keep_every_limit, LIMITS)
            .requires([Http, Database, Processes])
            .reads([read::DOCUMENTS])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1),
        check!(one_file_is_accepted_once_by_two_processes)
            .requires([Http, Database, Processes])
            .reads([read::DOCUMENTS])
            .effect(Effect::Fault)
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// A limit of a user, and where the requests start.
pub(super) struct LimitCase {
    name: &'static str,
    variables: [(&'static str, &'static str); 2],
    limit: usize,
    /// The documents before.
    before: usize,
}

impl Named for LimitCase {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Only uploads of a day are limited.
const DAILY: [(&str, &str); 2] = [("MAX_DAILY_UPLOADS", "3"), ("MAX_CONCURRENT_JOBS", "100")];
/// Only active jobs are limited.
const ACTIVE: [(&str, &str); 2] = [("MAX_DAILY_UPLOADS", "100"), ("MAX_CONCURRENT_JOBS", "3")];

const LIMITS: &[LimitCase] = &[
    LimitCase {
        name: "daily_uploads_from_zero",
        variables: DAILY,
        limit: 3,
        before: 0,
    },
    LimitCase {
        name: "daily_uploads_from_one_below",
        variables: DAILY,
        limit: 3,
        before: 2,
    },
    LimitCase {
        name: "active_jobs_from_zero",
        variables: ACTIVE,
        limit: 3,
        before: 0,
    },
    LimitCase {
        name: "active_jobs_from_one_below",
        variables: ACTIVE,
        limit: 3,
        before: 2,
    },
];

/// The requests at one moment.
const AT_ONCE: usize = 12;

/// Users, each with requests at one moment: a race that is lost once may be won the next time.
const ROUNDS: usize = 3;

/// Two more processes of the API, which share nothing but the database.
async fn two_apis(cx: &Context, variables: &[(&str, &str)]) -> CheckResult<[ExtraApi; 2]> {
    let pairs = variables.iter();
    let pairs = pairs.map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
    let overrides: Overrides = pairs.collect();
    let stack = cx.processes()?;
    let (first, second) = futures::join!(
        stack.start_extra_api(&overrides),
        stack.start_extra_api(&overrides)
    );
    Ok([first?, second?])
}

/// Of many registrations at one moment, exactly as many are accepted as the limit still allows.
async fn requests_at_one_moment_keep_every_limit(cx: &Context, case: &LimitCase) -> CheckResult {
    let apis = two_apis(cx, &case.variables).await?;
    for _ in 0..ROUNDS {
        let tenant = cx.tenant()?;
        let pipeline = cx.pipeline_as(tenant.clone())?;
        for _ in 0..case.before {
            let document = cx.document().build();
            pipeline.at(apis[0].url()).accept(document.upload()).await?;
        }
        let documents: Vec<_> = (0..AT_ONCE).map(|_| cx.document().build()).collect();
        let requests = documents.iter().enumerate().map(async |(n, document)| {
            let api = pipeline.at(apis[n % 2].url());
            api.register(document.upload()).await
        });
        let replies = try_join_all(requests).await?;
        expect_accepted(&replies, case.limit - case.before, 429)?;
        let rows = cx.database()?.documents_of(tenant.user_id).await?;
        ensure_eq!(
            rows.len(),
            case.limit,
            "a user with a limit of {} has another number of documents after {AT_ONCE} requests at one moment",
            case.limit
        );
    }
    for api in apis {
        api.end().await?;
    }
    Ok(())
}

/// Exactly `most` are accepted, and all others are refused with this status.
fn expect_accepted(replies: &[Response], most: usize, refusal: u16) -> CheckResult {
    let accepted = replies.iter().filter(|reply| reply.is_success()).count();
    ensure_eq!(
        accepted,
        most,
        "of {} requests at one moment, another number is accepted than the limit allows",
        replies.len()
    );
    for reply in replies.iter().filter(|reply| !reply.is_success()) {
        ensure_eq!(
            reply.status,
            refusal,
            "a request above the limit is answered with {}",
            reply.summary()
        );
    }
    Ok(())
}

/// Registers the document. On a busy machine a request may wait too long for the others and get a 503; it is
/// repeated, until it is accepted or refused.
async fn register_until_decided(
    cx: &Context,
    api: &Pipeline,
    document: &Document,
) -> CheckResult<Response> {
    let within = cx.contract().timing.complete_within;
    cx.eventually(
        "the registration is accepted or refused",
        within,
        async || {
            let reply = api.register(document.upload()).await?;
            Ok((reply.status != 503).then_some(reply))
        },
    )
    .await
}

/// The same file, sent many times at one moment to two processes, is accepted once: new, and after a failure.
async fn one_file_is_accepted_once_by_two_processes(cx: &Context) -> CheckResult {
    let apis = two_apis(
        cx,
        &[("MAX_DAILY_UPLOADS", "100"), ("MAX_CONCURRENT_JOBS", "50")],
    )
    .await?;
    for after_failure in [false, true, false, true] {
        let tenant = cx.tenant()?;
        let (pipeline, document) = (cx.pipeline_as(tenant.clone())?, cx.document().build());
        if after_failure {
            let accepted = pipeline.accept(document.upload()).await?;
            let wrong = vec![b'x'; document.bytes().len()];
            pipeline.put(&accepted.signed_url, wrong).await?;
            pipeline.until_final(&accepted).await?;
        }
        let requests = (0..AT_ONCE).map(async |n| {
            let api = pipeline.at(apis[n % 2].url());
            register_until_decided(cx, &api, &document).await
        });
        expect_accepted(&try_join_all(requests).await?, 1, 409)?;
        let rows = cx.database()?.documents_of(tenant.user_id).await?;
        ensure_eq!(rows.len(), 1, "one file of a user has several documents");
    }
    for api in apis {
        api.end().await?;
    }
    Ok(())
}
