//! Leaks: after an outage in which many requests failed, the processes hold no more than before it.

use std::time::Duration;

use cutover_fixtures::documents::Documents as _;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, ResponseResult};
use cutover_harness::fault::faults::Flap;
use cutover_harness::fault::{Injection, LinkName};
use cutover_harness::prelude::*;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use cutover_suite_support::held::{Held, MEMORY};
use cutover_suite_support::own_database::pass;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(an_outage_leaks_nothing, OUTAGES)
            .requires([Http, Database, Processes, Links])
            .reads(read::NOTHING)
            .calls([Endpoint::Jobs])
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// The requests in an outage.
const REQUESTS: usize = 100;

/// How many requests are under way at a time.
const AT_A_TIME: usize = 16;

/// What a request may take: the time limit of a provider is below it.
const WITHIN: Duration = secs(10);

/// How long an outage without requests lasts.
const WITHOUT_REQUESTS: Duration = secs(4);

/// What a process may hold in addition: connections of pools that have grown.
const MORE: u64 = 24;

/// The memory in bytes that a process may hold in addition.
const MORE_MEMORY: u64 = 128 * 1024 * 1024;

/// How long what was held in an outage may take until it is released.
const RELEASED_WITHIN: Duration = secs(15);

/// The outage of a link.
pub(super) struct Outage {
    name: &'static str,
    link: LinkName,
    /// The requests that need the link; without one, its client tries by itself.
    request: Option<Request>,
}

/// A request of a user.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    List,
    Search,
    Register,
}

impl Named for Outage {
    fn name(&self) -> &'static str {
        self.name
    }

    fn link(&self) -> Option<LinkName> {
        Some(self.link)
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let searches = self.request == Some(Request::Search);
        (searches && !contract.has(Endpoint::Search))
            .then(|| "this target has no search".to_owned())
    }
}

const OUTAGES: &[Outage] = &[
    Outage {
        name: "of_the_database_of_the_api",
        link: LinkName::ApiToDatabase,
        request: Some(Request::List),
    },
    Outage {
        name: "of_the_storage_of_the_api",
        link: LinkName::ApiToStorage,
        request: Some(Request::Register),
    },
    Outage {
        name: "of_the_embedder_of_the_api",
        link: LinkName::ApiToEmbedder,
        request: Some(Request::Search),
    },
    Outage {
        name: "of_the_way_to_the_api",
        link: LinkName::ClientToApi,
        request: Some(Request::List),
    },
    Outage {
        name: "of_the_database_of_the_workers",
        link: LinkName::WorkerToDatabase,
        request: None,
    },
];

/// Requests fail during an outage. After it, no process holds more files, threads, memory or sessions than before.
async fn an_outage_leaks_nothing(cx: &Context, case: &Outage) -> CheckResult {
    // What is loaded for a first document stays.
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let answered = send(cx, case.request).await?;
    ensure!(
        answered == case.request.map_or(0, |_| REQUESTS),
        "without a fault, only {answered} of {REQUESTS} requests are answered"
    );
    let before = Held::now(cx).await?;
    let guard = cx.link(case.link)?.inject(Injection::new(Flap::DOWN))?;
    if case.request.is_none() {
        pass(cx, "the outage has lasted", WITHOUT_REQUESTS).await?;
    }
    let answered = send(cx, case.request).await?;
    cx.observe(
        "outage",
        format!("{answered} requests are answered"),
        Value::Null,
    );
    let touched = guard.heal().await;
    let touched = touched.map_err(|error| Stop::violated(Finding::new(error.to_string())))?;
    if touched.connections == 0 || (case.request.is_some() && answered == REQUESTS) {
        return Err(anyhow::anyhow!("void: the outage failed no request").into());
    }
    send(cx, case.request).await?;
    // The workers have gone on, too.
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let what = "after an outage, the processes hold no more than before it";
    let released = async || {
        let now = Held::now(cx).await?;
        Ok(match excess(&now, &before) {
            None => Poll::Ready(()),
            Some(excess) => Poll::Pending(excess),
        })
    };
    cx.eventually(what, RELEASED_WITHIN, released).await
}

/// Sends many requests, each as a user of its own; how many are answered without an error of the service.
async fn send(cx: &Context, request: Option<Request>) -> CheckResult<usize> {
    let Some(request) = request else {
        return Ok(0);
    };
    let sent = stream::iter(0..REQUESTS).map(|_| send_one(cx, request));
    let responses: Vec<ResponseResult> = sent.buffer_unordered(AT_A_TIME).try_collect().await?;
    let answered = |response: &&ResponseResult| {
        let response = response.as_ref();
        response.is_ok_and(|response| response.status < 500)
    };
    Ok(responses.iter().filter(answered).count())
}

async fn send_one(cx: &Context, request: Request) -> CheckResult<ResponseResult> {
    let pipeline = cx.pipeline()?.through_outages();
    match request {
        Request::List => pipeline.try_jobs(WITHIN).await,
        Request::Search => pipeline.try_search("leaks", 1, WITHIN).await,
        Request::Register => {
            let document = cx.document().build();
            pipeline.try_register(document.upload(), WITHIN).await
        }
    }
}

/// What is held in addition, if it is more than pools need.
fn excess(now: &Held, before: &Held) -> Option<String> {
    let pairs = now.quantities().into_iter().zip(before.quantities());
    let mut excess = pairs.filter_map(|(now, before)| {
        let more = if now.what == MEMORY {
            MORE_MEMORY
        } else {
            MORE
        };
        (now.amount > before.amount + more).then(|| {
            format!(
                "{} has {} {}, and {} before the outage",
                now.holder, now.amount, now.what, before.amount
            )
        })
    });
    excess.next()
}
