//! A random walk: faults, crashes and users follow a schedule; after it, everything is as if nothing had happened.
//!
//! While faults act, only what is said must be true. That the service makes progress is demanded after
//! the last fault.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use cutover_fixtures::documents::{Document, Documents as _};
use cutover_harness::catalog::RandomWalk;
use cutover_harness::contract::Accepted;
use cutover_harness::fault::{HealError, Injection, LinkName};
use cutover_harness::prelude::*;
use futures::future::{join, try_join_all};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::account::Account;
use super::allowed::Allowed;
use super::history::History;
use super::recovery::{self, Before};
use super::schedule::{Abilities, Step, StepAction, schedule};
use super::users::Users;

/// How long a walk lasts.
const LENGTH: Duration = Duration::from_secs(20);

/// Walks along the schedule that the command of the run gives, or along one that is drawn.
pub async fn run(cx: &Context) -> CheckResult {
    if let Some(steps) = cx.parameter::<Vec<Step>>(RandomWalk::SCHEDULE)? {
        cx.observe(RandomWalk::SCHEDULE, "from a file", json!(steps));
        return along(cx, &steps).await;
    }
    let given = cx.parameter(RandomWalk::SEED)?;
    let seed = given.unwrap_or_else(|| u64::from_le_bytes(cx.random()));
    let steps = schedule(seed, LENGTH, &abilities(cx));
    cx.observe(RandomWalk::SCHEDULE, format!("seed {seed}"), json!(steps));
    let walked = along(cx, &steps).await;
    walked.map_err(|mut stop| {
        if let (Stop::Violated(finding), None) = (&mut stop, given) {
            let repeat = format!("; `cutover torment --seed {seed}` repeats the walk");
            finding.summary.push_str(&repeat);
        }
        stop
    })
}

/// Walks along a schedule, and looks at what is left.
async fn along(cx: &Context, steps: &[Step]) -> CheckResult {
    let history = History::new(cx);
    let users = Users::new(cx, Allowed::ANYWHERE, &history)?;
    let before = recovery::steady_before(&users).await?;
    let walk = Walk {
        cx,
        history: &history,
        began: Instant::now(),
        documents: RefCell::default(),
        uploads: Cell::new(0),
        faults: Cell::new(0),
        processes: Mutex::new(()),
    };
    let over = Cell::new(false);
    let walking = async {
        let walked = try_join_all(steps.iter().map(|step| walk.act(step))).await;
        over.set(true);
        walked
    };
    let (walked, read) = join(walking, users.read_until(&over, &before.known)).await;
    walked?;
    read?;
    walk.expect_recovery(&users, &before).await?;
    Account::of(&history.read()?).expect_conserved()
}

fn abilities(cx: &Context) -> Abilities {
    let contract = cx.contract();
    let links = LinkName::HTTP.into_iter().chain(LinkName::DATABASE);
    Abilities {
        links: links.filter(|link| cx.link(*link).is_ok()).collect(),
        deletes: contract.has(Endpoint::DeleteDocument) && contract.has(Endpoint::Job),
        retries: contract.has(Endpoint::Retry),
    }
}

/// A document that was uploaded during a walk.
struct Uploaded<'a> {
    number: usize,
    users: Users<'a>,
    document: Document,
    accepted: Accepted,
    is_deleted: Cell<bool>,
}

struct Walk<'a> {
    cx: &'a Context,
    history: &'a History<'a>,
    began: Instant,
    documents: RefCell<Vec<Rc<Uploaded<'a>>>>,
    uploads: Cell<usize>,
    /// The faults that act now.
    faults: Cell<usize>,
    /// Held by the step that stops, starts or scales processes: a start must not meet the next stop.
    processes: Mutex<()>,
}

impl Walk<'_> {
    async fn act(&self, step: &Step) -> CheckResult {
        // The schedule is in time.
        tokio::time::sleep_until(self.began + Duration::from_millis(step.at_ms)).await;
        match &step.action {
            StepAction::Upload => self.upload().await,
            StepAction::Delete => self.delete().await,
            StepAction::Retry => self.retry().await,
            StepAction::Fault {
                link,
                injection,
                lasts_ms,
            } => self.fault(*link, injection, *lasts_ms).await,
            StepAction::KillWorkers { lasts_ms } => {
                let start = ControlAction::StartWorkers;
                self.absence(ControlAction::StopWorkers, *lasts_ms, start)
                    .await
            }
            StepAction::PauseWorkers { lasts_ms } => {
                let resume = ControlAction::ResumeWorkers;
                self.absence(ControlAction::PauseWorkers, *lasts_ms, resume)
                    .await
            }
            StepAction::KillApi { lasts_ms } => {
                let start = ControlAction::StartApi;
                self.absence(ControlAction::StopApi, *lasts_ms, start).await
            }
            StepAction::ScaleWorkers { workers } => {
                let _turn = self.processes.lock().await;
                self.cx.control(ControlAction::ScaleWorkers(*workers)).await
            }
        }
    }

    async fn upload(&self) -> CheckResult {
        let number = self.uploads.replace(self.uploads.get() + 1);
        let users = Users::new(self.cx, Allowed::ANYWHERE, self.history)?;
        let document = self.cx.document().paragraphs(4).build();
        let Some(accepted) = users.deliver(number, &document).await? else {
            return Ok(());
        };
        self.documents.borrow_mut().push(Rc::new(Uploaded {
            number,
            users,
            document,
            accepted,
            is_deleted: Cell::new(false),
        }));
        Ok(())
    }

    /// Deletes the oldest document that is complete.
    async fn delete(&self) -> CheckResult {
        let documents = self.documents.borrow().clone();
        for each in documents {
            if each.is_deleted.get() || !each.users.is_complete(&each.accepted).await? {
                continue;
            }
            each.is_deleted.set(true);
            return each.users.delete(each.number, &each.accepted).await;
        }
        Ok(())
    }

    async fn retry(&self) -> CheckResult {
        let newest = self.documents.borrow().last().cloned();
        match newest {
            Some(each) if !each.is_deleted.get() => {
                each.users.retry(each.number, &each.accepted).await
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn fault(&self, link: LinkName, injection: &Injection, lasts_ms: u64) -> CheckResult {
        let fault = injection.fault.name();
        let what = format!("fault '{fault}' is injected into link '{link}' for {lasts_ms} ms");
        self.cx.observe("walk", what, json!(injection));
        let guard = self.cx.link(link)?.inject(injection.clone())?;
        self.faults.set(self.faults.get() + 1);
        // The dose of the fault is a time.
        tokio::time::sleep(Duration::from_millis(lasts_ms)).await;
        let healed = guard.heal().await;
        self.faults.set(self.faults.get() - 1);
        match healed {
            // The other end may be stopped, or another fault may act on the link.
            Ok(_) | Err(HealError::Unreachable { .. }) => Ok(()),
            Err(error @ HealError::StillApplied { .. }) => Err(anyhow::Error::from(error).into()),
        }
    }

    /// Stops processes for a time. They are started when no fault acts: what a start needs is not
    /// what a walk is about.
    async fn absence(
        &self,
        stop: ControlAction,
        lasts_ms: u64,
        start: ControlAction,
    ) -> CheckResult {
        let _turn = self.processes.lock().await;
        self.cx.control(stop).await?;
        // The dose of the fault is a time.
        tokio::time::sleep(Duration::from_millis(lasts_ms)).await;
        let within = self.cx.contract().timing.complete_within;
        let quiet = async || Ok((self.faults.get() == 0).then_some(()));
        self.cx.eventually("no fault acts", within, quiet).await?;
        self.cx.control(start).await
    }

    /// Everything answers again, every document is there, and what was deleted is gone.
    async fn expect_recovery(&self, users: &Users<'_>, before: &Before) -> CheckResult {
        let healed = Instant::now();
        recovery::expect_answers(users, before).await?;
        let first_success = healed.elapsed();
        let documents = self.documents.borrow().clone();
        let mut deleted = 0;
        for each in &documents {
            if each.is_deleted.get() {
                deleted += 1;
                each.users
                    .expect_gone(&each.accepted, &each.document)
                    .await?;
            } else {
                let (number, accepted) = (each.number, &each.accepted);
                each.users
                    .expect_arrival(number, accepted, &each.document)
                    .await?;
            }
            recovery::expect_nothing_left(&each.users, before).await?;
        }
        let drained = healed.elapsed();
        let took = recovery::complete_after(users).await?;
        let numbers = json!({
            "documents": documents.len(),
            "deleted": deleted,
            "first_success_ms": recovery::milliseconds(first_success),
            "drained_ms": recovery::milliseconds(drained),
            "document_before_ms": recovery::milliseconds(before.took),
            "document_after_ms": recovery::milliseconds(took),
        });
        self.cx.observe("walk", "the system recovered", numbers);
        Ok(())
    }
}
