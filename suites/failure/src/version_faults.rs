//! Deployments: a backlog, a migration, a second configuration and a missing database disturb no document.

use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;

use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::stack::credentials::{APP_DATABASE_PASSWORD, INTERNAL_DATABASE_URL};
use cutover_harness::stack::{ExtraApi, OneShotOutcome, Overrides, Service, Stack};
use futures::future::try_join_all;
use futures::join;
use time::OffsetDateTime;

use crate::flowing::{self, Flowing, all_complete_once, expect_no_idle_transaction};
use cutover_suite_support::own_database::{DATABASE_ENDS_WITHIN, pass};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_backlog_is_worked_off_in_its_order)
            .requires([Http, Database, Storage, Standins, WorkerStop])
            .reads(flowing::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(Critical)
            .alone_with_workers(1),
        check!(a_deployment_disturbs_nobody, DEPLOYMENTS)
            .requires([Http, Database, Storage, Standins, Processes])
            .calls([Endpoint::Jobs])
            .reads(flowing::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(2))
            .severity(Critical)
            .alone_with_workers(1),
        check!(workers_of_two_configurations_do_each_document_once)
            .requires([Http, Database, Storage, Standins, Processes])
            .reads(flowing::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(2))
            .severity(Critical)
            .alone_with_workers(1),
        check!(a_service_waits_for_its_database, SERVICES)
            .requires([Http, Database, Storage, Standins, Processes])
            .reads(flowing::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// The documents that wait when a worker starts.
const BACKLOG: usize = 30;

/// The documents that are registered at one moment.
const AT_ONCE: usize = 5;

/// By how many later documents one may be overtaken. Nobody promises an exact order.
const MAX_OVERTAKEN: usize = BACKLOG / 2;

/// How often a backlog is worked off: a busy machine delays a call now and then, a wrong order comes each time.
const BACKLOGS: usize = 2;

/// Documents that wait when workers start are all completed in time, and the oldest are begun first.
async fn a_backlog_is_worked_off_in_its_order(cx: &Context) -> CheckResult {
    let mut wrong_order = None;
    for _ in 0..BACKLOGS {
        wrong_order = work_off_a_backlog(cx).await?;
        if wrong_order.is_none() {
            return Ok(());
        }
    }
    wrong_order.map_or(Ok(()), |finding| Err(Stop::violated(finding)))
}

/// Works off a backlog, whose documents are completed once; what is wrong with the order in which they were begun.
async fn work_off_a_backlog(cx: &Context) -> CheckResult<Option<Finding>> {
    cx.control(ControlAction::StopWorkers).await?;
    let mut waiting = Vec::new();
    for _ in 0..BACKLOG / AT_ONCE {
        waiting.extend(try_join_all((0..AT_ONCE).map(|_| Flowing::uploaded(cx))).await?);
    }
    cx.control(ControlAction::StartWorkers).await?;
    for document in &waiting {
        document.pipeline.until_complete(&document.accepted).await?;
    }
    let begun = try_join_all(waiting.iter().map(|each| begun(cx, each))).await?;
    all_complete_once(cx, &waiting).await?;
    let overtaken = |n: usize| {
        begun[n + 1..]
            .iter()
            .filter(|later| **later < begun[n])
            .count()
    };
    let late = (0..begun.len()).find(|n| overtaken(*n) > MAX_OVERTAKEN);
    Ok(late.map(|n| {
        Finding::new(format!(
            "of {BACKLOG} waiting documents, the one at position {} was overtaken by {} later ones",
            n + 1,
            overtaken(n)
        ))
    }))
}

/// When a document was first submitted to the parser.
async fn begun(cx: &Context, flowing: &Flowing) -> CheckResult<OffsetDateTime> {
    let sha256 = flowing.document.sha256();
    let calls = cx.standins()?.parser_calls(sha256).await?;
    let first = calls.iter().map(|call| call.at).min();
    first.ok_or_else(|| {
        let summary = "a complete document was not submitted to the parser";
        Stop::violated(Finding::new(summary))
    })
}

/// A part of a deployment.
pub(super) struct Deployment {
    name: &'static str,
    part: Part,
}

#[derive(Clone, Copy)]
enum Part {
    Migration,
    Worker,
    Api,
}

impl Named for Deployment {
    fn name(&self) -> &'static str {
        self.name
    }
}

const DEPLOYMENTS: &[Deployment] = &[
    Deployment {
        name: "a_repeated_migration",
        part: Part::Migration,
    },
    Deployment {
        name: "another_worker",
        part: Part::Worker,
    },
    Deployment {
        name: "another_api",
        part: Part::Api,
    },
];

/// How late the embedder answers, so that documents are in progress during the deployment.
const DELAY_MS: u64 = 1_000;

/// How long a migration with nothing to do may take.
const MIGRATED_WITHIN: Duration = Duration::from_secs(15);

/// Deploys beside a reader that stays open, such as a backup, while documents flow: each request succeeds, and each
/// document is done once.
async fn a_deployment_disturbs_nobody(cx: &Context, case: &Deployment) -> CheckResult {
    let embedding = Flowing::embedding(cx, DELAY_MS).await?;
    let reader = "SELECT count(*) FROM {schema}.documents d LEFT JOIN {schema}.upload_jobs j USING (document_id)
                  LEFT JOIN {schema}.document_chunks c USING (document_id)";
    let reader = cx.own_database()?.hold(reader).await?;
    let is_deployed = Cell::new(false);
    let deploy = async {
        let deployed = case.part.deploy(cx).await;
        is_deployed.set(true);
        deployed
    };
    let ask = async {
        let asked = ask_meanwhile(cx, &embedding, case, &is_deployed).await;
        // What waits for the reader goes on.
        reader.end().await?;
        asked
    };
    let (deployed, asked) = join!(deploy, ask);
    // What users see comes first.
    let mut documents = asked?;
    let extra = deployed?;
    documents.push(embedding);
    let outcome = are_done_once(cx, &documents).await;
    if let Some(extra) = extra {
        extra.end().await?;
    }
    outcome
}

/// Each document completes without a failed attempt and without a second call of a provider.
async fn are_done_once(cx: &Context, documents: &[Flowing]) -> CheckResult {
    for document in documents {
        document.completes_undisturbed(cx).await?;
    }
    all_complete_once(cx, documents).await?;
    expect_no_idle_transaction(cx).await
}

/// The most documents that arrive during a deployment.
const ARRIVING: usize = 4;

/// Lists jobs and uploads documents until the part is deployed. Each request succeeds.
async fn ask_meanwhile(
    cx: &Context,
    flowing: &Flowing,
    case: &Deployment,
    is_deployed: &Cell<bool>,
) -> CheckResult<Vec<Flowing>> {
    let mut arrived = Vec::new();
    let within = MIGRATED_WITHIN * 2;
    cx.eventually("the part is deployed", within, async || {
        let is_last = is_deployed.get();
        let jobs = flowing.pipeline.jobs(&[]).await?;
        ensure!(
            jobs.is_success(),
            "during {}, a list of jobs is answered with {}",
            case.name.replace('_', " "),
            jobs.summary()
        );
        if arrived.len() < ARRIVING {
            arrived.push(Flowing::uploaded(cx).await?);
        }
        Ok(is_last.then_some(()))
    })
    .await?;
    Ok(arrived)
}

impl Part {
    /// Deploys it; returns the process that runs afterwards, if one does.
    async fn deploy(self, cx: &Context) -> CheckResult<Option<ExtraApi>> {
        let (stack, unchanged) = (cx.processes()?, Overrides::new());
        Ok(match self {
            Self::Migration => {
                migrate(stack).await?;
                migrate(stack).await?;
                None
            }
            Self::Worker => {
                let before = sessions(cx).await?;
                let extra = stack.start_extra_worker(&unchanged).await?;
                has_begun(cx, &before).await?;
                Some(extra)
            }
            Self::Api => {
                let before = sessions(cx).await?;
                let extra = stack.start_extra_api(&unchanged).await?;
                has_begun(cx, &before).await?;
                Some(extra)
            }
        })
    }
}

/// How long a process may need for what it does first, once it is connected to the database.
const FIRST_STATEMENTS: Duration = Duration::from_millis(400);

/// The processes of the server that serve sessions of the services.
async fn sessions(cx: &Context) -> CheckResult<HashSet<i64>> {
    #[derive(serde::Deserialize)]
    struct Session {
        pid: i64,
    }
    let role = cx.processes()?.spec().app_role;
    let sql = format!("SELECT pid::bigint AS pid FROM pg_stat_activity WHERE usename = '{role}'");
    let rows: Vec<Session> = cx.database()?.rows(&sql, &[]).await?;
    Ok(rows.into_iter().map(|row| row.pid).collect())
}

/// Waits until there is a new session, and has existed for a while.
async fn has_begun(cx: &Context, before: &HashSet<i64>) -> CheckResult {
    let within = cx.contract().timing.complete_within;
    cx.eventually("a new session of the services", within, async || {
        Ok((!sessions(cx).await?.is_subset(before)).then_some(()))
    })
    .await?;
    pass(cx, "the new process has begun", FIRST_STATEMENTS).await
}

/// Runs the migration of the pipeline, which has nothing to do.
async fn migrate(stack: &Stack) -> CheckResult {
    let credentials = &stack.info().credentials;
    let secret = |name| Ok::<_, Stop>(Some(credentials.get(name)?.expose().to_owned()));
    let overrides = Overrides::from([
        (
            "MIGRATION_DATABASE_URL".to_owned(),
            secret(INTERNAL_DATABASE_URL)?,
        ),
        (
            "APP_DATABASE_PASSWORD".to_owned(),
            secret(APP_DATABASE_PASSWORD)?,
        ),
    ]);
    let command = [stack.spec().migration];
    match stack
        .run_one_shot(&command, &overrides, MIGRATED_WITHIN)
        .await?
    {
        OneShotOutcome::Exited(output) => {
            ensure!(
                output.status.success(),
                "a repeated migration exits with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stdout)
            );
            Ok(())
        }
        OneShotOutcome::TimedOut => Err(Stop::violated(Finding::new(format!(
            "a repeated migration takes longer than {MIGRATED_WITHIN:?}"
        )))),
    }
}

/// The documents that arrive while two workers run.
const SHARED: usize = 8;

/// Two workers of different configuration share the queue: each document is done once.
async fn workers_of_two_configurations_do_each_document_once(cx: &Context) -> CheckResult {
    let slower = cx.contract().timing.poll_interval * 2;
    let other = [
        ("WORKER_CONCURRENCY", "1".to_owned()),
        ("POLL_INTERVAL_MS", slower.as_millis().to_string()),
    ];
    let other = other.map(|(name, value)| (name.to_owned(), Some(value)));
    let extra = cx
        .processes()?
        .start_extra_worker(&Overrides::from(other))
        .await?;
    let outcome = do_each_once(cx).await;
    extra.end().await?;
    outcome
}

async fn do_each_once(cx: &Context) -> CheckResult {
    let documents = try_join_all((0..SHARED).map(|_| Flowing::uploaded(cx))).await?;
    are_done_once(cx, &documents).await
}

/// A service that is started while its database is not there.
pub(super) struct Early {
    name: &'static str,
    is_worker: bool,
}

impl Named for Early {
    fn name(&self) -> &'static str {
        self.name
    }
}

const SERVICES: &[Early] = &[
    Early {
        name: "the_worker",
        is_worker: true,
    },
    Early {
        name: "the_api",
        is_worker: false,
    },
];

/// How long the database is missing.
const MISSING: Duration = Duration::from_millis(600);

/// A service that starts before its database waits for it, and then works.
async fn a_service_waits_for_its_database(cx: &Context, case: &Early) -> CheckResult {
    let stack = cx.processes()?;
    let workers = stack.workers();
    let service: &Service = match workers.first() {
        Some(worker) if case.is_worker => worker,
        _ => stack.api(),
    };
    let waiting = Flowing::registered(cx).await?;
    service.kill().await?;
    stack.postgres().terminate(DATABASE_ENDS_WITHIN).await?;
    let late = async {
        // The database is missing for this long while the service starts.
        let passed = pass(cx, "the service has waited", MISSING).await;
        stack.postgres().start().await?;
        passed
    };
    let (started, late) = join!(service.start(), late);
    late?;
    let is_running = service.is_running();
    if !is_running {
        // Later checks need it.
        service.start().await?;
    }
    ensure!(
        is_running,
        "{} ends when its database is not there yet",
        service.name()
    );
    started?;
    waiting.deliver().await?;
    let new = Flowing::uploaded(cx).await?;
    all_complete_once(cx, &[waiting, new]).await
}
