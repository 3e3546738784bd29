//! Readiness: a service without something that it needs says so, quickly, and recovers by itself.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::Reply;
use cutover_harness::standin::{
    EmbedderBehaviour, ParserAnswer, ParserBehaviour, ScriptGuard, StorageBehaviour,
};

use cutover_suite_support::responses::{expect_error_body, wait_for_status};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_service_without_a_dependency_is_not_ready, LOSSES)
            .requires([Http, Standins, Processes])
            .effect(Fault)
            .takes(secs(2))
            .severity(High)
            .timeout(Duration::from_mins(1))
            .alone_with_workers(1),
        check!(a_database_outage_is_reported_and_survived)
            .requires([Http, Database, Processes])
            .effect(Fault)
            .takes(secs(4))
            .severity(Critical)
            .timeout(Duration::from_mins(1))
            .alone_with_workers(1),
    ]
}

/// How long until a loss, or its end, is noticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(15);

/// How long PostgreSQL may take to end.
const DATABASE_ENDS_WITHIN: Duration = Duration::from_secs(10);

/// How often readiness is asked before it counts as slow: a busy machine may spoil one answer.
const ANSWERS: usize = 3;

/// Something that a service needs, and how it is lost.
pub(super) struct Loss {
    name: &'static str,
    how: How,
}

enum How {
    Parser(ParserAnswer),
    Embedder(EmbedderBehaviour),
    Storage(StorageBehaviour),
    Database,
}

impl Named for Loss {
    fn name(&self) -> &'static str {
        self.name
    }
}

const AWAY: u16 = 503;

const LOSSES: &[Loss] = &[
    Loss {
        name: "the_parser_refuses",
        how: How::Parser(ParserAnswer::Refuse {
            status: AWAY,
            marker: String::new(),
            retry_after_s: None,
        }),
    },
    Loss {
        name: "the_parser_is_silent",
        how: How::Parser(ParserAnswer::Hang),
    },
    Loss {
        name: "the_embedder_refuses",
        how: How::Embedder(EmbedderBehaviour::Refuse {
            status: AWAY,
            marker: String::new(),
            retry_after_s: None,
        }),
    },
    Loss {
        name: "the_embedder_is_silent",
        how: How::Embedder(EmbedderBehaviour::Hang),
    },
    Loss {
        name: "storage_refuses",
        how: How::Storage(StorageBehaviour::Refuse {
            status: AWAY,
            marker: String::new(),
        }),
    },
    Loss {
        name: "storage_is_silent",
        how: How::Storage(StorageBehaviour::Hang),
    },
    Loss {
        name: "the_database_is_stopped",
        how: How::Database,
    },
];

impl How {
    /// Brings the loss about; gives the script that does it, where one does.
    async fn happen(&self, cx: &Context) -> CheckResult<Option<ScriptGuard>> {
        let standins = cx.standins()?;
        let script = match self {
            Self::Parser(answer) => {
                let behaviour = ParserBehaviour {
                    answer: answer.clone(),
                    ..ParserBehaviour::default()
                };
                standins.script_parser("", behaviour).await?
            }
            Self::Embedder(behaviour) => standins.script_embedder("", behaviour.clone()).await?,
            Self::Storage(behaviour) => standins.script_storage("", behaviour.clone()).await?,
            Self::Database => {
                stop_database(cx).await?;
                return Ok(None);
            }
        };
        Ok(Some(script))
    }
}

async fn stop_database(cx: &Context) -> CheckResult {
    let database = cx.processes()?.postgres();
    database.terminate(DATABASE_ENDS_WITHIN).await?;
    Ok(())
}

/// Ends a loss.
async fn ends(cx: &Context, loss: Option<ScriptGuard>) -> CheckResult {
    match loss {
        Some(script) => Ok(script.withdraw().await?),
        None => Ok(cx.processes()?.postgres().start().await?),
    }
}

/// Without something that it needs, the service is alive and not ready, says so in time, and comes back with it.
async fn a_service_without_a_dependency_is_not_ready(cx: &Context, case: &Loss) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    becomes(cx, &pipeline, 200).await?;
    let loss = case.how.happen(cx).await?;
    let denied = becomes(cx, &pipeline, 503).await?;
    let mut fastest = denied.elapsed;
    for _ in 1..ANSWERS {
        fastest = fastest.min(pipeline.ready().await?.expect_status(503)?.elapsed);
    }
    let limit = cx.contract().timing.ready_within;
    ensure!(
        fastest < limit,
        "readiness is answered after {:.1} s at best",
        fastest.as_secs_f64()
    );
    pipeline.health().await?.expect_status(200)?;
    ends(cx, loss).await?;
    becomes(cx, &pipeline, 200).await?;
    Ok(())
}

/// Readiness is answered with this status, sooner or later.
async fn becomes(cx: &Context, pipeline: &Pipeline, status: u16) -> CheckResult<Reply> {
    let what = format!("readiness is answered with {status}");
    let ready = async || pipeline.ready().await;
    wait_for_status(cx, &what, NOTICED_WITHIN, status, ready).await
}

/// Without its database the service says that it is unavailable, not that nothing is there; with it, work goes on.
async fn a_database_outage_is_reported_and_survived(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?.through_outages();
    let done = pipeline.complete(&cx.document().build()).await?;
    let document = cx.document().build();
    let accepted = pipeline.accept(document.upload()).await?;
    stop_database(cx).await?;
    let new = cx.document().build();
    let (job, jobs, shown, found, registered, deleted) = futures::join!(
        pipeline.job(done.job_id()),
        pipeline.jobs(&[]),
        pipeline.document(done.document_id()),
        pipeline.search("policy", 3),
        pipeline.register(new.upload()),
        pipeline.delete(done.document_id()),
    );
    for reply in [job, jobs, shown, found, registered, deleted] {
        let reply = reply?.expect_status(503)?;
        expect_error_body(&reply, cx.contract())?;
    }
    pipeline.anonymous().health().await?.expect_status(200)?;
    cx.processes()?.postgres().start().await?;
    becomes(cx, &pipeline.anonymous(), 200).await?;
    pipeline.job(done.job_id()).await?.expect_status(200)?;
    let put = pipeline.put(&accepted.signed_url, document.bytes()).await?;
    ensure!(
        put.is_success(),
        "an address given before the outage takes no bytes: {}",
        put.summary()
    );
    pipeline.until_complete(&accepted).await?;
    pipeline.complete(&new).await?;
    Ok(())
}
