//! A scenario: documents flow, a fault acts on one link, it is healed, and nothing is lost, doubled or stuck.
//!
//! The steps are always the same: steady before, load, injection, proof of the effect, healing, which is
//! verified, recovery, and the account of all documents.

pub mod account;
mod allowed;
mod answer;
mod deletion;
pub mod history;
pub mod random_walk;
mod reads;
mod recovery;
pub mod schedule;
mod timeline;
mod users;

use std::cell::Cell;
use std::time::{Duration, Instant};

use cutover_fixtures::documents::{Document, Documents as _};
use cutover_harness::contract::{Accepted, Read, read};
use cutover_harness::fault::{FaultGuard, Injection, LinkName, Touched};
use cutover_harness::prelude::*;
use cutover_harness::record::Observation;
use futures::future::{join, join4, try_join_all};
use serde_json::json;

use self::allowed::Allowed;
use self::deletion::Deletion;
use self::history::{Happened, History};
use self::recovery::{Before, Recovery};
use self::timeline::Timeline;
use self::users::Users;

/// What a scenario reads of the database.
pub const READS: [Read; 5] = [
    crate::outcomes::COMPLETE[0],
    crate::outcomes::COMPLETE[1],
    read::DOCUMENTS.if_given(),
    read::JOBS.if_given(),
    read::job::RETRY_COUNT.if_given(),
];

/// A fault and how long it acts.
#[derive(Clone, Debug)]
pub struct Dose {
    /// The fault with its trigger.
    pub injection: Injection,
    /// It is healed this long after its first effect.
    pub lasts: Duration,
    /// Whether it breaks no request, only slows it: no document needs a retry then.
    pub only_slows: bool,
}

/// No more documents than this are uploaded while a fault acts.
const DOCUMENTS: usize = 2;

/// The documents that are uploaded while the fault acts. No more than a tenant may have at a time.
fn documents(cx: &Context) -> Vec<Document> {
    let mut documents = vec![cx.document().build(), cx.document().paragraphs(12).build()];
    let limit = usize::try_from(cx.contract().limits.concurrent_jobs).unwrap_or(usize::MAX);
    documents.truncate(limit.clamp(1, DOCUMENTS));
    documents
}

/// A fault of a link loses nothing, doubles nothing and leaves nothing behind.
pub async fn run(cx: &Context, link: LinkName, dose: &Dose) -> CheckResult {
    let history = History::new(cx);
    let allowed = Allowed::on(cx.resolve_link(link)?, dose.only_slows);
    let users = Users::new(cx, allowed, &history)?;
    let before = recovery::steady_before(&users).await?;
    let deletion = Deletion::prepare(&users, DOCUMENTS).await;
    let deletion = deletion.map_err(recovery::not_steady)?;
    let timeline = Timeline::new(&history);
    let over = Cell::new(false);
    let scenario = async {
        let scenario = break_link(&users, before, deletion, link, dose).await;
        over.set(true);
        scenario
    };
    let (scenario, followed) = join(scenario, timeline.follow(&users, &over)).await;
    let recorded = timeline.record(cx, link);
    scenario?;
    followed?;
    recorded?;
    account::Account::of(&history.read()?).expect_conserved()
}

/// Users upload and read while the fault acts; after it, the system recovers.
async fn break_link(
    users: &Users<'_>,
    before: Before,
    deletion: Option<Deletion<'_>>,
    link: LinkName,
    dose: &Dose,
) -> CheckResult {
    let cx = users.cx;
    let documents = documents(cx);
    let guard = inject(cx, link, dose)?;
    let injected = Instant::now();
    users.history.noted(None, Happened::Injected);
    let healed = Cell::new(false);
    let deliveries = documents.iter().enumerate();
    let deliveries =
        try_join_all(deliveries.map(|(number, document)| users.deliver(number, document)));
    let delete = async {
        match &deletion {
            Some(deletion) => deletion.act().await,
            None => Ok(()),
        }
    };
    let act = async {
        let touched = act(cx, guard, dose).await;
        let acted = injected.elapsed();
        users.history.noted(None, Happened::Healed);
        healed.set(true);
        Recovery::begin(users, &before, touched?, acted).await
    };
    let read = users.read_until(&healed, &before.known);
    let (delivered, deleted, read, recovery) = join4(deliveries, delete, read, act).await;
    let (read, delivered, recovery) = (read?, delivered?, recovery?);
    deleted?;
    read.expect_undisturbed(&before.reads)?;
    let accepted: Vec<(usize, Accepted, &Document)> = delivered
        .into_iter()
        .enumerate()
        .filter_map(|(number, accepted)| Some((number, accepted?, &documents[number])))
        .collect();
    recovery.expect(users, &before, &accepted, link).await?;
    match deletion {
        Some(deletion) => deletion.expect_gone().await,
        None => Ok(()),
    }
}

/// Injects the fault, and says so.
fn inject(cx: &Context, link: LinkName, dose: &Dose) -> CheckResult<FaultGuard> {
    let guard = cx.link(link)?.inject(dose.injection.clone())?;
    let fault = dose.injection.fault.name();
    let what = format!("fault '{fault}' is injected into link '{link}'");
    let value = json!({ "link": link.as_str(), "fault": fault });
    cx.observe(Observation::SCENARIO, what, value);
    Ok(guard)
}

/// How long a fault takes to reach the connections that are open and idle.
const IDLE_CONNECTIONS: Duration = Duration::from_millis(30);

/// Waits for the proof that the fault has an effect on what the documents need, lets it act, and heals it.
/// A fault that touched nothing proves nothing.
async fn act(cx: &Context, guard: FaultGuard, dose: &Dose) -> CheckResult<Touched> {
    // Connections that are open and idle are touched at once, which affects no document.
    tokio::time::sleep(IDLE_CONNECTIONS).await;
    let idle = guard.touched();
    let within = cx.contract().timing.complete_within;
    let effect = async || {
        let touched = guard.touched();
        let affects = touched.bytes > 0 || touched.connections > idle.connections;
        Ok(affects.then_some(()))
    };
    let proved = cx
        .eventually("the fault has an effect", within, effect)
        .await;
    let name = dose.injection.fault.name();
    if proved.is_err() {
        return Err(
            anyhow::anyhow!("void: fault '{name}' touched nothing that a document needs").into(),
        );
    }
    // The dose of the fault is a time.
    tokio::time::sleep(dose.lasts).await;
    let healed = guard.heal().await;
    healed.map_err(|error| Stop::violated(Finding::new(format!("the fault is over, but {error}"))))
}
