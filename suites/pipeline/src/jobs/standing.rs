//! Standing: every way to learn whether a document is in progress, complete or failed says the same.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, JobView, Vocabulary, Way};
use cutover_harness::prelude::*;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(every_way_to_read_a_document_agrees, STANDINGS)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// How far a document has come.
#[derive(Clone, Copy, PartialEq)]
enum Standing {
    Waiting,
    Complete,
    Failed,
}

/// A document with a known standing.
pub(super) struct StandingCase {
    name: &'static str,
    standing: Standing,
}

impl Named for StandingCase {
    fn name(&self) -> &'static str {
        self.name
    }
}

const STANDINGS: &[StandingCase] = &[
    StandingCase {
        name: "waiting_for_its_bytes",
        standing: Standing::Waiting,
    },
    StandingCase {
        name: "complete",
        standing: Standing::Complete,
    },
    StandingCase {
        name: "failed",
        standing: Standing::Failed,
    },
];

/// Job route, document route, list of jobs and row agree about a document, shortly after any of them tells its end.
async fn every_way_to_read_a_document_agrees(cx: &Context, case: &StandingCase) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let ways = pipeline.ways();
    if ways.len() < 2 {
        return Err(Stop::not_applicable(
            "this target has one way only to read the standing of a document",
        ));
    }
    let document = cx.document().build();
    let accepted = pipeline.accept(document.upload()).await?;
    match case.standing {
        Standing::Waiting => {}
        Standing::Complete => {
            pipeline.deliver(&accepted, document.upload()).await?;
            pipeline.until_final(&accepted).await?;
        }
        Standing::Failed => {
            let other = cx.document().build();
            pipeline.put(&accepted.signed_url, other.bytes()).await?;
            pipeline.until_final(&accepted).await?;
        }
    }
    // A document that becomes complete meanwhile is read again.
    let within = cx.contract().standing.grace + SLOW_MACHINE;
    let what = format!(
        "every way to read the document says that it is {}",
        case.name.replace('_', " ")
    );
    cx.eventually(&what, within, async || {
        let seen = read_all(&pipeline, &ways, &accepted).await?;
        let vocabulary = &cx.contract().vocabulary;
        let agrees = |(_, shown): &(Way, Result<JobView, String>)| {
            shown
                .as_ref()
                .is_ok_and(|job| is_as_expected(vocabulary, job, case.standing))
        };
        Ok(if seen.iter().all(agrees) {
            Poll::Ready(())
        } else {
            Poll::Pending(describe(&seen))
        })
    })
    .await
}

/// What a busy machine may add to the grace time.
const SLOW_MACHINE: std::time::Duration = secs(10);

/// What each way says; a wrong answer is the text of its finding.
async fn read_all(
    pipeline: &Pipeline,
    ways: &[Way],
    accepted: &Accepted,
) -> CheckResult<Vec<(Way, Result<JobView, String>)>> {
    let mut seen = Vec::new();
    for way in ways {
        match pipeline.standing(*way, accepted).await {
            Ok(job) => seen.push((*way, Ok(job))),
            Err(Stop::Violated(finding)) => {
                let actual = finding.actual.unwrap_or_default();
                seen.push((*way, Err(format!("{} {actual}", finding.summary))));
            }
            // A route that is optional and does not exist says nothing.
            Err(Stop::Skip { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(seen)
}

fn is_as_expected(vocabulary: &Vocabulary, job: &JobView, standing: Standing) -> bool {
    match standing {
        Standing::Complete => job.status == vocabulary.complete,
        Standing::Failed => vocabulary.is_failure(&job.status),
        Standing::Waiting => {
            job.status != vocabulary.complete && !vocabulary.is_failure(&job.status)
        }
    }
}

fn describe(seen: &[(Way, Result<JobView, String>)]) -> String {
    let each = seen.iter().map(|(way, shown)| match shown {
        Ok(job) => format!("{}: {}", way.name(), job.summary()),
        Err(problem) => format!("{}: {problem}", way.name()),
    });
    each.collect::<Vec<_>>().join("; ")
}
