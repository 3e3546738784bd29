//! Silent providers: while one is waited for, no transaction of the database is open.

use std::collections::HashSet;
use std::time::Instant;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    EmbedderBehaviour, ParserAnswer, ParserBehaviour, ScriptGuard, StorageBehaviour,
};
use serde::Deserialize;

use cutover_suite_support::awaiting_callback::AwaitingCallback;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(no_transaction_waits_for_a_provider, WAITS)
            .requires([Http, Database, Standins])
            .reads(read::NOTHING)
            .effect(Effect::Fault)
            .expected_duration(secs(2))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// Something that the service does, and the provider that does not answer meanwhile.
pub(super) struct Wait {
    name: &'static str,
    action: Action,
}

#[derive(Clone, Copy, PartialEq)]
enum Action {
    Register,
    RegisterAgain,
    Read,
    Submit,
    StoreText,
    ReadText,
    Embed,
    Search,
    Delete,
}

impl Named for Wait {
    fn name(&self) -> &'static str {
        self.name
    }

    fn calls(&self) -> Vec<Endpoint> {
        match self.action {
            Action::Search => vec![Endpoint::Search],
            Action::Delete => vec![Endpoint::DeleteDocument],
            Action::Register
            | Action::RegisterAgain
            | Action::Read
            | Action::Submit
            | Action::StoreText
            | Action::ReadText
            | Action::Embed => Vec::new(),
        }
    }
}

const fn wait(name: &'static str, action: Action) -> Wait {
    Wait { name, action }
}

const WAITS: &[Wait] = &[
    wait("a_registration", Action::Register),
    wait("a_repeated_registration", Action::RegisterAgain),
    wait("a_worker_that_reads_the_upload", Action::Read),
    wait("a_submission", Action::Submit),
    wait("a_callback", Action::StoreText),
    wait("a_worker_that_reads_the_text", Action::ReadText),
    wait("an_embedding", Action::Embed),
    wait("a_search", Action::Search),
    wait("a_deletion", Action::Delete),
];

/// Attempts: on a busy machine a transaction may last long for other reasons.
const TRIES: usize = 3;

/// While a provider does not answer, no transaction stays open and idle.
async fn no_transaction_waits_for_a_provider(cx: &Context, case: &Wait) -> CheckResult {
    for _ in 0..TRIES {
        if !is_transaction_open(cx, case.action).await? {
            return Ok(());
        }
    }
    Err(Stop::violated(Finding::new(format!(
        "while {} waits for a provider that does not answer, a transaction of the database stays open",
        case.name.replace('_', " ")
    ))))
}

/// A silent provider: its script, and how its calls are found.
struct Silence {
    script: ScriptGuard,
    calls: Calls,
}

enum Calls {
    Parser(String),
    Embedder(String),
    Storage(String),
}

impl Silence {
    async fn of(cx: &Context, calls: Calls) -> CheckResult<Self> {
        let standins = cx.standins()?;
        let script = match &calls {
            Calls::Parser(scope) => {
                let answer = ParserAnswer::Hang;
                let behaviour = ParserBehaviour {
                    answer,
                    ..ParserBehaviour::default()
                };
                standins.script_parser(scope.as_str(), behaviour).await?
            }
            Calls::Embedder(scope) => {
                let behaviour = EmbedderBehaviour::Hang;
                standins.script_embedder(scope.as_str(), behaviour).await?
            }
            Calls::Storage(scope) => {
                let behaviour = StorageBehaviour::Hang;
                standins.script_storage(scope.as_str(), behaviour).await?
            }
        };
        Ok(Self { script, calls })
    }

    /// The number of calls of the provider that wait for an answer.
    async fn waiting(&self, cx: &Context) -> CheckResult<usize> {
        let standins = cx.standins()?;
        let open = |answered: &u16| *answered == 0;
        Ok(match &self.calls {
            Calls::Parser(scope) => {
                let calls = standins.parser_calls(scope).await?;
                calls.iter().filter(|call| open(&call.answered)).count()
            }
            Calls::Embedder(scope) => {
                let calls = standins.embedder_calls(scope).await?;
                calls.iter().filter(|call| open(&call.answered)).count()
            }
            Calls::Storage(scope) => {
                let calls = standins.storage_calls(scope).await?;
                calls.iter().filter(|call| open(&call.answered)).count()
            }
        })
    }
}

/// A document that is prepared for an action, and its owner's client.
struct Prepared {
    pipeline: Pipeline,
    document: Document,
    accepted: Option<Accepted>,
    awaiting: Option<AwaitingCallback>,
    silence: Silence,
}

async fn prepare(cx: &Context, action: Action) -> CheckResult<Prepared> {
    let document = cx.document().build();
    let (contract, tenant) = (cx.contract(), cx.tenant()?);
    let user = tenant.user_id;
    let pipeline = cx.pipeline_as(tenant)?;
    let mut accepted = None;
    let mut awaiting = None;
    let calls = match action {
        Action::Register => Calls::Storage(contract.expected_raw_path(user, document.sha256())?),
        Action::RegisterAgain => {
            let failed = fail(cx, &pipeline, &document).await?;
            Calls::Storage(contract.raw_path(user, failed.document_id))
        }
        Action::Submit => Calls::Parser(document.sha256().to_owned()),
        Action::Embed | Action::Search => {
            if action == Action::Search {
                pipeline.complete(&document).await?;
            }
            Calls::Embedder(document.nonce().to_owned())
        }
        Action::Read | Action::ReadText => {
            let registered = pipeline.accept(document.upload()).await?;
            let id = registered.document_id;
            accepted = Some(registered);
            let path = if action == Action::Read {
                contract.raw_path(user, id)
            } else {
                contract.parsed_path(user, id)
            };
            Calls::Storage(format!("GET {path}"))
        }
        Action::Delete => {
            let done = pipeline.complete(&document).await?;
            let id = done.document_id();
            accepted = Some(done.accepted);
            Calls::Storage(contract.raw_path(user, id))
        }
        Action::StoreText => {
            let waiting = AwaitingCallback::with(cx, document.clone()).await?;
            let owner = waiting
                .pipeline
                .tenant()
                .map_or(user, |owner| owner.user_id);
            let path = contract.parsed_path(owner, waiting.accepted.document_id);
            awaiting = Some(waiting);
            Calls::Storage(path)
        }
    };
    let before = Silence::of(cx, calls).await?;
    Ok(Prepared {
        pipeline,
        document,
        accepted,
        awaiting,
        silence: before,
    })
}

/// Uploads a document that the parser refuses, and waits until it has failed.
async fn fail(cx: &Context, pipeline: &Pipeline, document: &Document) -> CheckResult<Accepted> {
    let behaviour = ParserBehaviour {
        answer: ParserAnswer::Refuse {
            status: 422,
            marker: "refused by the check".to_owned(),
            retry_after_s: None,
        },
        ..ParserBehaviour::default()
    };
    let script = cx
        .standins()?
        .script_parser(document.sha256(), behaviour)
        .await?;
    let accepted = pipeline.upload(document).await?;
    pipeline.until_final(&accepted).await?;
    script.withdraw().await?;
    Ok(accepted)
}

impl Prepared {
    /// Does what waits for the provider. Whether it succeeds does not matter.
    async fn act(&self, action: Action) -> CheckResult {
        let (pipeline, document) = (&self.pipeline, &self.document);
        match (action, &self.accepted, &self.awaiting) {
            (Action::Search, ..) => drop(pipeline.search(document.nonce(), 3).await?),
            (Action::Delete, Some(accepted), _) => {
                drop(pipeline.delete(accepted.document_id).await?);
            }
            (Action::StoreText, _, Some(waiting)) => {
                let text = waiting.document.expected_text();
                let body = serde_json::json!({ "status": "completed", "md": text }).to_string();
                drop(waiting.send(&body, &waiting.proof(&body)).await?);
            }
            (Action::Read | Action::ReadText, Some(accepted), _) => {
                pipeline.deliver(accepted, document.upload()).await?;
            }
            (Action::Submit | Action::Embed, ..) => {
                pipeline.upload(document).await?;
            }
            _ => drop(pipeline.register(document.upload()).await?),
        }
        Ok(())
    }
}

/// A session with an open transaction in which nothing runs.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct IdleTransaction {
    pid: i64,
    since: String,
}

/// The transactions of the service that are open and idle; a transaction keeps its start.
const IDLE: &str = "SELECT pid::bigint AS pid, xact_start::text AS since FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() \
    AND application_name <> 'cutover' AND state = 'idle in transaction' AND xact_start IS NOT NULL";

/// Whether the same transaction is open for most of the time that the provider may take.
async fn is_transaction_open(cx: &Context, action: Action) -> CheckResult<bool> {
    let prepared = prepare(cx, action).await?;
    let (acted, found) = futures::join!(prepared.act(action), watch(cx, &prepared.silence));
    prepared.silence.script.withdraw().await?;
    let found = found?;
    // A request that waits for the provider in vain may fail.
    drop(acted);
    Ok(found)
}

async fn watch(cx: &Context, silence: &Silence) -> CheckResult<bool> {
    let timing = &cx.contract().timing;
    let within = timing.complete_within;
    cx.eventually("the silent provider is called", within, async || {
        Ok((silence.waiting(cx).await? > 0).then_some(()))
    })
    .await?;
    let database = cx.database()?;
    let mut open: HashSet<IdleTransaction> = database.rows(IDLE, &[]).await?.into_iter().collect();
    let (began, most) = (Instant::now(), timing.provider_timeout.mul_f64(0.6));
    cx.eventually("no transaction waits", within, async || {
        let now: HashSet<IdleTransaction> = database.rows(IDLE, &[]).await?.into_iter().collect();
        open.retain(|transaction| now.contains(transaction));
        let is_over = open.is_empty() || began.elapsed() >= most;
        Ok(is_over.then_some(!open.is_empty()))
    })
    .await
}
