//! Connections: they are used again, because each new one costs round trips and descriptors.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Contract;
use cutover_harness::fault::LinkName;
use cutover_harness::prelude::*;

use crate::measured::{Better, as_float, measured};
use crate::requests::{Asked, Kind};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(connections_are_reused, USES)
            .requires([Http, Standins, Processes, Links])
            .effect(Effect::Fault)
            .expected_duration(secs(2))
            .severity(High)
            .alone_with_workers(1),
        check!(connections_of_clients_stay_open)
            .requires([Http])
            .calls([Endpoint::Job])
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A use of a link.
pub(super) struct Use {
    name: &'static str,
    what: &'static str,
    link: LinkName,
    kind: UseKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum UseKind {
    /// Requests of users make the API query the database.
    Requests,
    /// A document of many chunks is embedded.
    Embedding,
    /// Documents are stored one after the other.
    Storing,
}

impl Named for Use {
    fn name(&self) -> &'static str {
        self.name
    }

    fn link(&self) -> Option<LinkName> {
        Some(self.link)
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let needs_job = self.kind == UseKind::Requests && !contract.has(Endpoint::Job);
        needs_job.then(|| "this target has no route for a job".to_owned())
    }
}

const USES: &[Use] = &[
    Use {
        name: "to_the_database",
        what: "requests of users",
        link: LinkName::ApiToDatabase,
        kind: UseKind::Requests,
    },
    Use {
        name: "to_the_embedder",
        what: "calls of the embedder",
        link: LinkName::WorkerToEmbedder,
        kind: UseKind::Embedding,
    },
    Use {
        name: "to_the_storage",
        what: "calls of the storage",
        link: LinkName::WorkerToStorage,
        kind: UseKind::Storing,
    },
];

/// The calls of the embedder for a document, and the documents that are stored.
const BATCHES: usize = 10;
const STORED: usize = 6;

/// The connections that a pool may open beside those that are used again.
const POOL: u64 = 8;

/// What the services ask of a dependency needs fewer connections than requests.
async fn connections_are_reused(cx: &Context, case: &Use) -> CheckResult {
    let asked = Asked::new(cx).await?;
    let opened = || -> CheckResult<u64> { Ok(cx.link(case.link)?.traffic().connections) };
    let before = opened()?;
    let calls = match case.kind {
        UseKind::Requests => asked.open(Kind::Job, 40.0, secs(1)).await?.account().ok,
        UseKind::Embedding => embed(cx).await?,
        UseKind::Storing => store(cx).await?,
    };
    let connections = opened()? - before;
    if calls <= POOL {
        let reason = format!(
            "only {calls} {} were counted, too few to tell whether connections are used again",
            case.what
        );
        return Err(anyhow::anyhow!(reason).into());
    }
    let summary = format!("{calls} {}, {connections} connections", case.what);
    cx.observe("link", summary, serde_json::Value::Null);
    let share = as_float(connections) / as_float(calls);
    measured(
        cx,
        &format!("connections per call {}", case.name),
        "connections",
        Better::Lower,
        share,
    );
    ensure!(
        connections <= POOL.max(calls / 2),
        "{calls} {} open {connections} new connections; they are not used again",
        case.what
    );
    Ok(())
}

/// Embeds a document that needs many calls; how many.
async fn embed(cx: &Context) -> CheckResult<u64> {
    let batch = cx.contract().embedder.max_batch;
    if batch > 100 {
        let reason = format!("a document of {BATCHES} calls of {batch} chunks would be too long");
        return Err(Stop::not_applicable(reason));
    }
    let document = cx.document().pages(batch * BATCHES).build();
    cx.pipeline()?.complete(&document).await?;
    let calls = cx.standins()?.embedder_calls(document.nonce()).await?;
    Ok(calls.len() as u64)
}

/// Processes several documents one after the other; how many calls of the storage their workers make at least.
async fn store(cx: &Context) -> CheckResult<u64> {
    let mut calls = 0;
    for _ in 0..STORED {
        let tenant = cx.tenant()?;
        let user = tenant.user_id.to_string();
        cx.pipeline_as(tenant)?
            .complete(&cx.document().build())
            .await?;
        let storage = cx.standins()?.storage_calls(&user).await?;
        // Each document is registered and uploaded without a worker.
        let of_workers = storage
            .iter()
            .filter(|call| !call.signed && call.method != "PUT");
        calls += of_workers.count() as u64;
    }
    Ok(calls)
}

/// The answers that are read.
const ANSWERS: usize = 3;

/// An answer does not end the connection of its client.
async fn connections_of_clients_stay_open(cx: &Context) -> CheckResult {
    let asked = Asked::new(cx).await?;
    for _ in 0..ANSWERS {
        let response = asked.pipeline.show(&asked.accepted).await?;
        let ends = response
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !ends {
            return Ok(());
        }
    }
    let summary = "every answer ends the connection of its client ('connection: close'); each request needs a new one";
    Err(Stop::violated(Finding::new(summary)))
}
