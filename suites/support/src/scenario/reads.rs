//! How users read a complete document during a fault: an answer is true, and a fault elsewhere costs no time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use cutover_harness::contract::{JobView, ResponseResult, Way};
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use futures::future::try_join_all;

use super::answer::{Answer, wrong_answer};
use super::history::{Action, Happened};
use super::users::{HITS, Known, Users};

/// How long the users pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(150);

/// How much longer than before the fault a request may take that does not need the faulty link.
const SLOWER: u32 = 10;

/// What such a request may take in addition, on a busy machine.
const MARGIN: Duration = Duration::from_secs(1);

/// The times of the requests that do not need what a fault is about, by round.
#[derive(Debug, Default)]
pub(super) struct ReadTimes(Vec<Vec<(Action, Duration)>>);

impl ReadTimes {
    fn slowest(&self, action: Action) -> Option<Duration> {
        let all = self.0.iter().flatten();
        let times = all.filter(|(other, _)| *other == action);
        times.map(|(_, time)| *time).max()
    }

    /// The requests took about as long as before the fault. A busy machine may delay one of them, or a round.
    pub(super) fn expect_undisturbed(&self, before: &Self) -> CheckResult {
        let rounds = self.0.iter().map(|round| {
            let late = round.iter().filter(|(action, time)| {
                let usual = before.slowest(*action);
                usual.is_some_and(|usual| *time > usual * SLOWER + MARGIN)
            });
            (late.collect::<Vec<_>>(), round.len())
        });
        let late: Vec<_> = rounds.filter(|(late, _)| !late.is_empty()).collect();
        let is_accident = match late.as_slice() {
            [(late, of)] => late.len() == 1 || late.len() == *of,
            others => others.is_empty(),
        };
        let slowest = late
            .iter()
            .flat_map(|(late, _)| late)
            .max_by_key(|(_, time)| *time);
        let Some((action, time)) = slowest.filter(|_| !is_accident) else {
            return Ok(());
        };
        let usual = before.slowest(*action).unwrap_or_default();
        let summary = format!(
            "a fault elsewhere delays requests that do not need it: {action:?} takes {time:.1?}, and at most {usual:.1?} before the fault"
        );
        Err(Stop::violated(Finding::new(summary)))
    }
}

impl Users<'_> {
    /// Reads a complete document in every way, again and again, until the fault is healed. The result
    /// is how long the requests took that do not need what the fault is about.
    pub(super) async fn read_until(
        &self,
        healed: &Cell<bool>,
        known: &Known,
    ) -> CheckResult<ReadTimes> {
        let mut times = ReadTimes::default();
        while !healed.get() {
            self.read_in_every_way(known, &mut times).await?;
            // Users pause between two looks.
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(times)
    }

    /// Reads a complete document once in every way at the same time; whether the service answered each time.
    pub(super) async fn read_in_every_way(
        &self,
        known: &Known,
        times: &mut ReadTimes,
    ) -> CheckResult<bool> {
        let reads = self.reads().map(async |action| {
            let began = Instant::now();
            let answered = self.read_once(action, known).await?;
            CheckResult::Ok((action, answered, began.elapsed()))
        });
        let reads = try_join_all(reads).await?;
        let undisturbed = reads.iter().filter(|(action, answered, _)| {
            // The others may wait for what the fault is about.
            *answered && !self.expectation(*action).needs_link
        });
        let undisturbed = undisturbed.map(|(action, _, took)| (*action, *took));
        times.0.push(undisturbed.collect());
        Ok(reads.iter().all(|(_, answered, _)| *answered))
    }

    /// The ways to read that the target has.
    pub(super) fn reads(&self) -> impl Iterator<Item = Action> {
        let contract = self.cx.contract();
        let ways = [
            (Action::Read, Endpoint::Job),
            (Action::Document, Endpoint::Document),
            (Action::List, Endpoint::Jobs),
            (Action::Search, Endpoint::Search),
        ];
        let given = ways.into_iter().filter(|(_, route)| contract.has(*route));
        given.map(|(action, _)| action)
    }

    /// Reads a complete document once; whether the service answered. An answer must be true.
    pub(super) async fn read_once(&self, action: Action, known: &Known) -> CheckResult<bool> {
        let operation = self.history.invoked(action, None);
        let attempt = self.attempt(action, known).await?;
        let expectation = self.expectation(action);
        let answer = expectation.read(self.history, operation, attempt)?;
        let Answer::Given(response) = answer else {
            return Ok(false);
        };
        self.expect_truth(action, known, &response)?;
        self.history.record(operation, Happened::Ok);
        Ok(true)
    }

    async fn attempt(&self, action: Action, known: &Known) -> CheckResult<ResponseResult> {
        let within = self.answer_within();
        match action {
            Action::Document => self.pipeline.try_document(&known.accepted, within).await,
            Action::List => self.pipeline.try_jobs(within).await,
            Action::Search => {
                let query = known.document.nonce();
                self.pipeline.try_search(query, HITS, within).await
            }
            Action::Retry => self.pipeline.try_retry(known.accepted.job_id, within).await,
            Action::Delete => {
                let document = known.accepted.document_id;
                self.pipeline.try_delete(document, within).await
            }
            Action::Read | Action::Register | Action::Upload => {
                self.pipeline.try_show(&known.accepted, within).await
            }
        }
    }

    /// An answer about a complete document shows it, and as complete.
    fn expect_truth(&self, action: Action, known: &Known, response: &Response) -> CheckResult {
        let is_true = response.is_success() && self.shows_complete(action, known, response)?;
        if is_true {
            return Ok(());
        }
        let expected = "what it was before the fault, or a status from 500";
        Err(wrong_answer(action, expected, response))
    }

    fn shows_complete(
        &self,
        action: Action,
        known: &Known,
        response: &Response,
    ) -> CheckResult<bool> {
        let contract = self.cx.contract();
        let is_complete = |job: &JobView| job.status == contract.vocabulary.complete;
        let has = |way| self.pipeline.ways().contains(&way);
        let accepted = &known.accepted;
        Ok(match action {
            Action::Read => is_complete(&JobView::from_json("a job", &response.json()?, contract)?),
            Action::Document if has(Way::Document) => {
                is_complete(&self.pipeline.standing_in_document(response.clone())?)
            }
            Action::List if has(Way::Jobs) => {
                is_complete(&self.pipeline.standing_in_list(accepted, response)?)
            }
            Action::Document | Action::List | Action::Search => {
                let body = String::from_utf8_lossy(&response.body);
                let ids = [accepted.job_id, accepted.document_id];
                ids.iter().any(|id| body.contains(&id.to_string()))
            }
            Action::Register | Action::Upload | Action::Retry | Action::Delete => true,
        })
    }
}
