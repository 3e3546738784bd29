//! Steady before and after a fault: how the system recovers, and what the fault left behind.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cutover_fixtures::documents::{Document, Documents as _};
use cutover_harness::contract::{Accepted, Contract};
use cutover_harness::fault::{LinkName, Touched};
use cutover_harness::invariant::{self, Scope};
use cutover_harness::prelude::*;
use cutover_harness::probe::ChunkRow;
use cutover_harness::record::Observation;
use futures::future::try_join_all;
use serde_json::json;

use super::reads::ReadTimes;
use super::users::{Known, Users};
use crate::idle_transactions::{IdleTransaction, expect_no_idle_transaction, idle_transactions};

/// How long the first success after a fault may take.
const FIRST_SUCCESS: Duration = Duration::from_secs(5);

/// Reads at the same time after a fault: more than a small pool has connections.
const BURST: usize = 12;

/// The rounds of reads before a fault.
const ROUNDS: usize = 3;

/// How much longer a document may take after a fault than before it.
const SLOWER: u32 = 5;

/// What a document may take in addition after a fault, on a busy machine.
const MARGIN: Duration = Duration::from_secs(8);

/// How the system was before the fault.
pub(super) struct Before {
    pub(super) known: Known,
    pub(super) took: Duration,
    pub(super) reads: ReadTimes,
    stored: Stored,
    idle_transactions: BTreeSet<IdleTransaction>,
}

/// A document completes before the fault. Otherwise the scenario proves nothing.
pub(super) async fn steady_before(users: &Users<'_>) -> CheckResult<Before> {
    let steady = async {
        let (known, took) = users.complete(users.cx.document().build()).await?;
        let reads = steady_reads(users, &known).await?;
        Ok(Before {
            stored: Stored::of(users.cx, &known).await?,
            known,
            took,
            reads,
            idle_transactions: idle_transactions(users.cx).await?,
        })
    };
    steady.await.map_err(not_steady)
}

/// What fails before the fault is no finding about it.
pub(super) fn not_steady(stop: Stop) -> Stop {
    match stop {
        Stop::Violated(finding) => {
            let summary = &finding.summary;
            anyhow::anyhow!("not run: the system was not steady before the fault: {summary}").into()
        }
        stop @ (Stop::Error(_) | Stop::Skip { .. }) => stop,
    }
}

/// The times of some rounds of reads. Every way to read shows the document as soon as the contract asks for.
async fn steady_reads(users: &Users<'_>, known: &Known) -> CheckResult<ReadTimes> {
    let grace = users.cx.contract().standing.grace + users.answer_within();
    let shown = async || {
        let mut reads = ReadTimes::default();
        Ok(match users.read_in_every_way(known, &mut reads).await {
            Ok(true) => Poll::Ready(()),
            Ok(false) => Poll::Pending("the service does not answer".to_owned()),
            Err(Stop::Violated(finding)) => Poll::Pending(finding.summary),
            Err(stop) => return Err(stop),
        })
    };
    let what = "every way to read shows a complete document";
    users.cx.eventually(what, grace, shown).await?;
    let mut reads = ReadTimes::default();
    for _ in 0..ROUNDS {
        users.read_in_every_way(known, &mut reads).await?;
    }
    Ok(reads)
}

/// How a system recovers from a fault.
pub(super) struct Recovery {
    touched: Touched,
    /// How long the fault acted.
    acted: Duration,
    healed: Instant,
    first_success: Duration,
}

impl Recovery {
    /// The system answers again right after the healing, while users still upload.
    pub(super) async fn begin(
        users: &Users<'_>,
        before: &Before,
        touched: Touched,
        acted: Duration,
    ) -> CheckResult<Self> {
        let healed = Instant::now();
        expect_answers(users, before).await?;
        Ok(Self {
            touched,
            acted,
            healed,
            first_success: healed.elapsed(),
        })
    }

    /// Every document arrives once, without a restart, and the system is as it was before.
    pub(super) async fn expect(
        &self,
        users: &Users<'_>,
        before: &Before,
        accepted: &[(usize, Accepted, &Document)],
        link: LinkName,
    ) -> CheckResult {
        let cx = users.cx;
        expect_pauses(link, self.touched, self.acted)?;
        for (number, accepted, document) in accepted {
            users.expect_arrival(*number, accepted, document).await?;
            expect_bounded_calls(cx, link, accepted, document).await?;
        }
        let drained = self.healed.elapsed();
        let took = complete_after(users).await?;
        let limit = before.took * SLOWER + MARGIN;
        ensure!(
            took <= limit,
            "after a fault, a document takes {took:.1?}, and {:.1?} before it",
            before.took
        );
        expect_kept(users, before).await?;
        expect_nothing_left(users, before).await?;
        let numbers = json!({
            "link": link.as_str(),
            "acted_ms": milliseconds(self.acted),
            "connections": self.touched.connections,
            "bytes": self.touched.bytes,
            "first_success_ms": milliseconds(self.first_success),
            "drained_ms": milliseconds(drained),
            "document_before_ms": milliseconds(before.took),
            "document_after_ms": milliseconds(took),
            "acknowledged": accepted.len(),
        });
        cx.observe(Observation::SCENARIO, "the system recovered", numbers);
        Ok(())
    }
}

/// A time in whole milliseconds, as recovery numbers are recorded.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e3).round()
}

/// The service answers again, many requests at the same time, too, and says that it is ready.
pub(super) async fn expect_answers(users: &Users<'_>, before: &Before) -> CheckResult {
    first_success(users, &before.known).await?;
    burst(users, &before.known).await?;
    ready(users).await
}

/// A document completes after the fault; how long that takes. Its user is another one: a registration
/// that nobody knows of counts as active until its upload URL expires.
pub(super) async fn complete_after(users: &Users<'_>) -> CheckResult<Duration> {
    let (_, took) = users
        .as_another()?
        .complete(users.cx.document().build())
        .await?;
    Ok(took)
}

/// Every way to read answers again.
async fn first_success(users: &Users<'_>, known: &Known) -> CheckResult {
    let within = FIRST_SUCCESS + users.answer_within();
    let answers = async || {
        for action in users.reads() {
            if !users.read_once(action, known).await? {
                return Ok(Poll::Pending(format!("{action:?} is not answered")));
            }
        }
        Ok(Poll::Ready(()))
    };
    let what = "the service answers again after a fault, without a restart";
    users.cx.eventually(what, within, answers).await
}

/// The service reports that it is ready again.
async fn ready(users: &Users<'_>) -> CheckResult {
    if !users.cx.contract().has(Endpoint::Ready) {
        return Ok(());
    }
    let ready = async || {
        let answer = users.pipeline.ready().await?;
        Ok(if answer.is_success() {
            Poll::Ready(())
        } else {
            Poll::Pending(answer.summary())
        })
    };
    let what = "the service reports that it is ready after a fault";
    let within = FIRST_SUCCESS + users.answer_within();
    users.cx.eventually(what, within, ready).await
}

/// Many reads at the same time are answered: no connection was lost to the fault.
async fn burst(users: &Users<'_>, known: &Known) -> CheckResult {
    let Some(action) = users.reads().next() else {
        return Ok(());
    };
    let reads = (0..BURST).map(|_| users.read_once(action, known));
    let answered = try_join_all(reads).await?;
    let unanswered = answered.iter().filter(|answered| !**answered).count();
    ensure!(
        unanswered == 0,
        "after a fault, {unanswered} of {BURST} simultaneous requests are not answered"
    );
    Ok(())
}

/// The connections during a fault that need no pause between them.
const CONNECTIONS: u64 = 100;

/// The connections in each second of a fault that have pauses between them.
const CONNECTIONS_PER_SECOND: u64 = 150;

/// What cannot reach a dependency tries again after a pause.
fn expect_pauses(link: LinkName, touched: Touched, acted: Duration) -> CheckResult {
    let connections = touched.connections;
    let seconds = acted.as_secs() + 1;
    ensure!(
        connections <= CONNECTIONS + CONNECTIONS_PER_SECOND * seconds,
        "during a fault of {acted:.1?}, link '{link}' is connected {connections} times: there is no pause between two tries"
    );
    Ok(())
}

/// A document that was complete before the fault is not worked on again.
async fn expect_kept(users: &Users<'_>, before: &Before) -> CheckResult {
    let now = Stored::of(users.cx, &before.known).await?;
    ensure!(
        now.chunks == before.stored.chunks,
        "the chunks of a document that was complete before the fault have changed"
    );
    ensure!(
        now.submissions == before.stored.submissions,
        "a document that was complete before the fault was submitted to the parser again"
    );
    Ok(())
}

/// What a complete document has, and has cost.
struct Stored {
    chunks: Vec<ChunkRow>,
    submissions: Option<usize>,
}

impl Stored {
    async fn of(cx: &Context, known: &Known) -> CheckResult<Self> {
        let submissions = match cx.standins_if_granted() {
            Some(standins) => Some(standins.parser_calls(known.document.sha256()).await?.len()),
            None => None,
        };
        let mut chunks = cx.database()?.chunks_of(known.accepted.document_id).await?;
        for chunk in &mut chunks {
            // A row may be touched.
            (chunk.created_at, chunk.updated_at) = (None, None);
        }
        Ok(Self {
            chunks,
            submissions,
        })
    }
}

/// The paid calls for a document are bounded, and a fault elsewhere costs none.
async fn expect_bounded_calls(
    cx: &Context,
    link: LinkName,
    accepted: &Accepted,
    document: &Document,
) -> CheckResult {
    let Some(standins) = cx.standins_if_granted() else {
        return Ok(());
    };
    let submissions = standins.parser_calls(document.sha256()).await?.len();
    let most = most_submissions(cx.contract(), link);
    ensure!(
        submissions <= most,
        "a document was submitted to the parser {submissions} times, and at most {most} are necessary"
    );
    let calls = standins.embedder_calls(document.nonce()).await?.len();
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?.len();
    // Each chunk may be a call of its own; those of the searches by the scenario's users do not
    // contain this document's nonce.
    let most = chunks * (cx.contract().timing.max_retries as usize + 1);
    ensure!(
        calls <= most,
        "{chunks} chunks were sent to the embedder in {calls} calls"
    );
    Ok(())
}

/// The submissions of a document that a fault of this link may cause.
fn most_submissions(contract: &Contract, link: LinkName) -> usize {
    match link {
        LinkName::ClientToApi
        | LinkName::ApiToEmbedder
        | LinkName::WorkerToEmbedder
        | LinkName::Embedder => 1,
        LinkName::Database
        | LinkName::Storage
        | LinkName::Identity
        | LinkName::Parser
        | LinkName::ParserToApi
        | LinkName::ApiToDatabase
        | LinkName::ApiToStorage
        | LinkName::WorkerToDatabase
        // A pipeline that cannot read the parsed text may have the document parsed again.
        | LinkName::WorkerToStorage
        | LinkName::WorkerToParser => contract.timing.max_retries as usize + 1,
    }
}

/// The fault leaves no violated invariant and no open transaction.
pub(super) async fn expect_nothing_left(users: &Users<'_>, before: &Before) -> CheckResult {
    let cx = users.cx;
    if let Some(tenant) = users.pipeline.tenant() {
        let scope = Scope::users([tenant.user_id]);
        let (database, storage) = (cx.database()?, cx.storage()?);
        invariant::check(&database, &storage, cx.contract(), &scope).await?;
    }
    expect_no_idle_transaction(cx, &before.idle_transactions).await
}
