//! Documents whose process or connection ends at a chosen write, and what must become of them.

use cutover_fixtures::documents::Document;
use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Read};
use cutover_harness::invariant::{self, Scope};
use cutover_harness::prelude::*;
use cutover_harness::probe::EventRow;

use cutover_suite_support::outcomes::expect_complete;
use cutover_suite_support::write_stops::{WriteStop, WriteStops};

/// What [`expect_complete`] and the comparison of a document with its job and its history read.
pub(crate) const READS: [Read; 5] = [
    read::document::PROCESSING_STATUS,
    read::job::STATE,
    read::CHUNKS,
    read::chunk::EMBEDDING.if_given(),
    read::event::CODE,
];

/// The writes of a kind.
pub(crate) struct Writes {
    name: &'static str,
    /// The table.
    relation: &'static str,
    at_commit: bool,
}

impl Named for Writes {
    fn name(&self) -> &'static str {
        self.name
    }
}

pub(crate) const WRITES: &[Writes] = &[
    Writes {
        name: "of_the_document",
        relation: "documents",
        at_commit: false,
    },
    Writes {
        name: "of_the_job",
        relation: "upload_jobs",
        at_commit: false,
    },
    Writes {
        name: "of_the_event",
        relation: "events",
        at_commit: false,
    },
    Writes {
        name: "at_the_commit",
        relation: "upload_jobs",
        at_commit: true,
    },
    Writes {
        name: "of_chunks_and_vectors",
        relation: "document_chunks",
        at_commit: false,
    },
];

impl Writes {
    /// Every write of the kind that a worker makes.
    pub(crate) fn stops(&self, cx: &Context) -> Vec<WriteStop> {
        let vocabulary = &cx.contract().vocabulary;
        let words: Vec<String> = if self.relation == "document_chunks" {
            ["insert 0", "insert 1", "update 0", "update 1"]
                .map(str::to_owned)
                .to_vec()
        } else {
            let statuses = vocabulary.statuses.iter();
            let of_worker = statuses.filter(|status| {
                **status != vocabulary.registered && **status != vocabulary.parsed
            });
            of_worker.cloned().collect()
        };
        words
            .into_iter()
            .map(|word| WriteStop {
                relation: self.relation,
                word,
                at_commit: self.at_commit,
            })
            .collect()
    }
}

/// The writes of a registration and of a callback: the table, and whether they stop at the commit.
pub(crate) const API_WRITES: [(&str, bool); 4] = [
    ("documents", false),
    ("upload_jobs", false),
    ("events", false),
    ("upload_jobs", true),
];

/// Every write of a callback.
pub(crate) fn stops_of_callback(cx: &Context) -> Vec<WriteStop> {
    let stop = |(relation, at_commit)| WriteStop {
        relation,
        word: cx.contract().vocabulary.parsed.clone(),
        at_commit,
    };
    API_WRITES.map(stop).to_vec()
}

/// A document with a stop at one of its writes.
pub(crate) struct Stopped {
    pipeline: Pipeline,
    document: Document,
    accepted: Accepted,
    stop: WriteStop,
}

impl Stopped {
    /// Uploads a document whose process will stop at a write.
    pub(crate) async fn upload(
        cx: &Context,
        stops: &WriteStops<'_>,
        stop: WriteStop,
    ) -> CheckResult<Self> {
        let (pipeline, document) = (cx.pipeline()?, cx.document().paragraphs(12).build());
        let accepted = pipeline.accept(document.upload()).await?;
        stops.stop(accepted.document_id, &stop).await?;
        pipeline.deliver(&accepted, document.upload()).await?;
        Ok(Self {
            pipeline,
            document,
            accepted,
            stop,
        })
    }

    fn what(&self) -> String {
        let WriteStop {
            relation,
            word,
            at_commit,
        } = &self.stop;
        let place = if *at_commit {
            "the commit of"
        } else {
            "the write of"
        };
        format!("a document that was interrupted at {place} '{word}' in {relation}")
    }

    /// A callback that was acknowledged took effect: the document need not be parsed, and paid, again.
    pub(crate) async fn expect_true_acknowledgement(&self, cx: &Context) -> CheckResult {
        let Some(standins) = cx.standins_if_granted() else {
            return Ok(());
        };
        let calls = standins.parser_calls(self.document.sha256()).await?;
        let first = calls.first().and_then(|call| call.callbacks.first());
        let answer = first.and_then(|callback| callback.answered);
        let is_acknowledged = answer.is_some_and(|status| (200..300).contains(&status));
        ensure!(
            calls.len() == 1 || !is_acknowledged,
            "the callback of {} was acknowledged, and the document was submitted {} times",
            self.what(),
            calls.len()
        );
        Ok(())
    }

    async fn is_final(&self, cx: &Context) -> CheckResult<bool> {
        let job = cx.database()?.job(self.accepted.job_id).await?;
        let states = &cx.contract().vocabulary.final_states;
        let state = job.and_then(|job| job.state);
        Ok(state.is_some_and(|state| states.contains(&state)))
    }

    /// The document is complete, was finalized once, and no step is recorded twice.
    async fn completes_once(&self, cx: &Context) -> CheckResult {
        let job = self.pipeline.until_final(&self.accepted).await?;
        ensure_eq!(
            job.status,
            cx.contract().vocabulary.complete,
            "{} does not complete",
            self.what()
        );
        expect_complete(cx, &self.pipeline, &self.accepted, &self.document).await?;
        let database = cx.database()?;
        let row = database.document(self.accepted.document_id).await?;
        ensure_eq!(
            row.and_then(|row| row.processing_status)
                .unwrap_or_default(),
            cx.contract().vocabulary.complete,
            "{}: the document and its job disagree",
            self.what()
        );
        let events = database.events_of(self.accepted.job_id).await?;
        self.expect_each_step_once(cx, &events)
    }

    fn expect_each_step_once(&self, cx: &Context, events: &[EventRow]) -> CheckResult {
        if events.iter().any(|event| event.kind == "error") {
            // After a failure, steps are repeated.
            return Ok(());
        }
        for status in &cx.contract().vocabulary.statuses {
            let of_status = events
                .iter()
                .filter(|event| event.kind != "retry" && event.code.as_ref() == Some(status));
            ensure_eq!(
                of_status.count(),
                1,
                "{}: the step '{status}' is not recorded exactly once",
                self.what()
            );
        }
        Ok(())
    }
}

/// Waits until each document has reached its stop, or has ended without it.
pub(crate) async fn all_stopped(
    cx: &Context,
    stops: &WriteStops<'_>,
    documents: &[Stopped],
) -> CheckResult {
    let within = cx.contract().timing.complete_within;
    cx.eventually("every document reaches its stop", within, async || {
        let mut settled = stops.waiting().await?;
        for each in documents {
            settled += usize::from(each.is_final(cx).await?);
        }
        Ok(if settled >= documents.len() {
            Poll::Ready(())
        } else {
            Poll::Pending(format!("{settled} of {}", documents.len()))
        })
    })
    .await
}

/// Every document completes once, and no invariant is violated.
pub(crate) async fn complete_all(cx: &Context, documents: &[Stopped]) -> CheckResult {
    for each in documents {
        each.completes_once(cx).await?;
    }
    let users = documents.iter().filter_map(|each| each.pipeline.tenant());
    let scope = Scope::users(users.map(|tenant| tenant.user_id));
    invariant::check(&cx.database()?, &cx.storage()?, cx.contract(), &scope).await
}
