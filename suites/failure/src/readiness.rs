//! Readiness: a service without a dependency is not ready, reports this quickly, and recovers by itself.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::standin::{
    EmbedderBehaviour, ParserAnswer, ParserBehaviour, ScriptGuard, StorageBehaviour,
};

use cutover_suite_support::responses::{expect_error_body, wait_for_status};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_service_without_a_dependency_is_not_ready, LOSSES)
            .requires([Http, Standins, Processes])
            .calls([Endpoint::Ready])
            .effect(Effect::Fault)
            .expected_duration(secs(2))
            .severity(High)
            .timeout(Duration::from_mins(1))
            .alone_with_workers(1),
        check!(a_database_outage_is_reported_and_survived)
            .requires([Http, Database, Processes])
            .calls([Endpoint::Ready])
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(Critical)
            .timeout(Duration::from_mins(1))
            .alone_with_workers(1),
    ]
}

/// How long the loss or return of a dependency may go unnoticed.
const NOTICED_WITHIN: Duration = Duration::from_secs(15);

/// How long PostgreSQL may take to stop.
const DATABASE_ENDS_WITHIN: Duration = Duration::from_secs(10);

/// Readiness requests before the response counts as slow: one may be slow on a busy machine.
const ANSWERS: usize = 3;

/// A dependency, and how it is lost.
pub(super) struct Loss {
    name: &'static str,
    dependency: Dependency,
}

enum Dependency {
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

const UNAVAILABLE: u16 = 503;

const LOSSES: &[Loss] = &[
    Loss {
        name: "the_parser_refuses",
        dependency: Dependency::Parser(ParserAnswer::Refuse {
            status: UNAVAILABLE,
            marker: String::new(),
            retry_after_s: None,
        }),
    },
    Loss {
        name: "the_parser_is_silent",
        dependency: Dependency::Parser(ParserAnswer::Hang),
    },
    Loss {
        name: "the_embedder_refuses",
        dependency: Dependency::Embedder(EmbedderBehaviour::Refuse {
            status: UNAVAILABLE,
            marker: String::new(),
            retry_after_s: None,
        }),
    },
    Loss {
        name: "the_embedder_is_silent",
        dependency: Dependency::Embedder(EmbedderBehaviour::Hang),
    },
    Loss {
        name: "storage_refuses",
        dependency: Dependency::Storage(StorageBehaviour::Refuse {
            status: UNAVAILABLE,
            marker: String::new(),
        }),
    },
    Loss {
        name: "storage_is_silent",
        dependency: Dependency::Storage(StorageBehaviour::Hang),
    },
    Loss {
        name: "the_database_is_stopped",
        dependency: Dependency::Database,
    },
];

impl Dependency {
    /// Takes the dependency away; returns the script that does so, if any.
    async fn take_away(&self, cx: &Context) -> CheckResult<Option<ScriptGuard>> {
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

/// Brings the dependency back.
async fn restore(cx: &Context, loss: Option<ScriptGuard>) -> CheckResult {
    match loss {
        Some(script) => Ok(script.withdraw().await?),
        None => Ok(cx.processes()?.postgres().start().await?),
    }
}

/// Without a dependency the service is alive but not ready, reports this in time, and recovers with the dependency.
async fn a_service_without_a_dependency_is_not_ready(cx: &Context, case: &Loss) -> CheckResult {
    let pipeline = cx.pipeline()?.anonymous();
    wait_for_readiness(cx, &pipeline, 200).await?;
    let loss = case.dependency.take_away(cx).await?;
    let not_ready = wait_for_readiness(cx, &pipeline, 503).await?;
    let mut fastest = not_ready.elapsed;
    for _ in 1..ANSWERS {
        fastest = fastest.min(pipeline.ready().await?.expect_status(503)?.elapsed);
    }
    let limit = cx.contract().timing.ready_within;
    ensure!(
        fastest < limit,
        "readiness takes {:.1} s at best",
        fastest.as_secs_f64()
    );
    if cx.contract().has(Endpoint::Health) {
        pipeline.health().await?.expect_status(200)?;
    }
    restore(cx, loss).await?;
    wait_for_readiness(cx, &pipeline, 200).await?;
    Ok(())
}

/// Waits until readiness has this status.
async fn wait_for_readiness(
    cx: &Context,
    pipeline: &Pipeline,
    status: u16,
) -> CheckResult<Response> {
    let what = format!("readiness has status {status}");
    let ready = async || pipeline.ready().await;
    wait_for_status(cx, &what, NOTICED_WITHIN, status, ready).await
}

/// Without its database the service answers 503 instead of empty results. With it, work continues.
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
        // The target does not have every route.
        let reply = match reply {
            Err(Stop::Skip { .. }) => continue,
            reply => reply?.expect_status(503)?,
        };
        expect_error_body(&reply, cx.contract())?;
    }
    if cx.contract().has(Endpoint::Health) {
        pipeline.anonymous().health().await?.expect_status(200)?;
    }
    cx.processes()?.postgres().start().await?;
    wait_for_readiness(cx, &pipeline.anonymous(), 200).await?;
    pipeline.view(&done.accepted).await?;
    let put = pipeline.put(&accepted.signed_url, document.bytes()).await?;
    ensure!(
        put.is_success(),
        "a signed URL from before the outage accepts no bytes: {}",
        put.summary()
    );
    pipeline.until_complete(&accepted).await?;
    pipeline.complete(&new).await?;
    Ok(())
}
