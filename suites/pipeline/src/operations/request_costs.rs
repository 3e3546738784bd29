//! Request costs: what a request makes the database read and receive does not grow with the rows that it is not about.

use std::time::{Duration, Instant};

use cutover_fixtures::documents::Documents as _;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Contract, ResponseResult};
use cutover_harness::fault::LinkName;
use cutover_harness::prelude::*;
use cutover_suite_support::own_database::{END_SESSIONS, pass, run_as_owner};
use serde::Deserialize;
use serde_json::json;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_request_costs_the_same_beside_many_rows, REQUESTS)
            .requires([Http, Database, Processes, Links, WorkerStop])
            .reads(read::NOTHING)
            .effect(Effect::Fault)
            .expected_duration(secs(5))
            .severity(High)
            .alone_with_workers(1)
            .fresh_stack(),
    ]
}

/// A request whose cost is measured.
pub(super) struct Request {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Job,
    Document,
    Search,
    Register,
    /// No request: an idle worker looks for work.
    Queue,
}

impl Named for Request {
    fn name(&self) -> &'static str {
        self.name
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let route = match self.kind {
            Kind::List => Endpoint::Jobs,
            Kind::Job => Endpoint::Job,
            Kind::Document => Endpoint::Document,
            Kind::Search => Endpoint::Search,
            Kind::Register | Kind::Queue => return None,
        };
        (!contract.has(route)).then(|| "this target has no such route".to_owned())
    }
}

const REQUESTS: &[Request] = &[
    Request {
        name: "of_the_list_of_jobs",
        kind: Kind::List,
    },
    Request {
        name: "of_a_job",
        kind: Kind::Job,
    },
    Request {
        name: "of_a_document",
        kind: Kind::Document,
    },
    Request {
        name: "of_a_search",
        kind: Kind::Search,
    },
    Request {
        name: "of_a_registration",
        kind: Kind::Register,
    },
    Request {
        name: "of_a_look_at_the_queue",
        kind: Kind::Queue,
    },
];

/// The complete documents of other users, and those of the same user, that are added.
const OF_OTHERS: usize = 2_000;
const OWN: usize = 40;

/// The requests of a measurement.
const MEASURED: u32 = 10;

/// How long an idle worker is measured.
const IDLE: Duration = secs(2);

/// What a request may take: it has no fault.
const WITHIN: Duration = secs(15);

/// The rows that a request may read in addition: far fewer than those that are added. An idle worker may read
/// all of them now and then.
const MORE_ROWS: f64 = 700.0;

/// The bytes of statements that a request may send in addition: less than a statement for each added job.
const MORE_BYTES: f64 = 1_000.0;

/// Copies of a document with its job and its chunks, `{count}` of them, each with a user.
const COPIES: &[&str] = &[
    "INSERT INTO {schema}.documents SELECT (jsonb_populate_record(d, jsonb_build_object(
         'document_id', gen_random_uuid(), 'user_id', u.id,
         'file_sha256', encode(sha256(('{count}' || n)::bytea), 'hex'),
         'raw_path', replace(d.raw_path, d.user_id::text, u.id::text),
         'parsed_path', replace(d.parsed_path, d.user_id::text, u.id::text)))).*
     FROM {schema}.documents AS d, generate_series(1, {count}) AS n, LATERAL (SELECT {user} AS id) AS u
     WHERE d.document_id = '{document}'",
    "INSERT INTO {schema}.upload_jobs SELECT (jsonb_populate_record(j, jsonb_build_object(
         'job_id', gen_random_uuid(), 'document_id', d.document_id))).*
     FROM {schema}.upload_jobs AS j, {schema}.documents AS d
     WHERE j.document_id = '{document}' AND NOT EXISTS (
         SELECT FROM {schema}.upload_jobs AS other WHERE other.document_id = d.document_id)",
    "INSERT INTO {schema}.document_chunks SELECT (jsonb_populate_record(c, jsonb_build_object(
         'chunk_id', gen_random_uuid(), 'document_id', d.document_id))).*
     FROM {schema}.document_chunks AS c, {schema}.documents AS d
     WHERE c.document_id = '{document}' AND c.chunk_ord = 0 AND NOT EXISTS (
         SELECT FROM {schema}.document_chunks AS other WHERE other.document_id = d.document_id)",
    "ANALYZE {schema}.documents, {schema}.upload_jobs, {schema}.document_chunks",
];

/// A request reads as many rows beside the documents of others as without them, and sends as many bytes of statements
/// with many documents of its user as with one.
async fn a_request_costs_the_same_beside_many_rows(cx: &Context, case: &Request) -> CheckResult {
    let client = Client::new(cx, case.kind).await?;
    let alone = client.cost().await?;
    client.copy(OF_OTHERS, "md5(n::text)::uuid").await?;
    let beside_others = client.cost().await?;
    client.copy(OWN, "d.user_id").await?;
    let beside_own = client.cost().await?;
    let costs = json!({ "alone": alone, "beside_others": beside_others, "beside_own": beside_own });
    cx.observe("database", "the cost of a request", costs);
    let (rows, more) = (beside_others.rows, alone.rows * 2.0 + MORE_ROWS);
    ensure!(
        rows <= more,
        "beside {OF_OTHERS} documents of other users, {} reads {rows:.0} rows, and {:.0} without them",
        case.kind.what(),
        alone.rows
    );
    let (sent, more) = (beside_own.sent, beside_others.sent * 2.0 + MORE_BYTES);
    ensure!(
        sent <= more,
        "with {OWN} more documents of its user, {} sends {sent:.0} bytes to the database, and {:.0} without them",
        case.kind.what(),
        beside_others.sent
    );
    Ok(())
}

impl Kind {
    fn what(self) -> &'static str {
        match self {
            Self::List => "a list of jobs",
            Self::Job => "a request for a job",
            Self::Document => "a request for a document",
            Self::Search => "a search",
            Self::Register => "a registration",
            Self::Queue => "a look at the queue",
        }
    }
}

/// What a request costs the database, on average.
#[derive(Clone, Copy, Debug, serde::Serialize)]
struct Cost {
    /// Rows that are read.
    rows: f64,
    /// Bytes that the API sends.
    sent: f64,
}

/// A user with a complete document, on a stack where nobody else asks.
struct Client<'a> {
    cx: &'a Context,
    kind: Kind,
    pipeline: Pipeline,
    accepted: Accepted,
}

const ROWS: &str =
    "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::float8 AS rows
    FROM pg_stat_user_tables";

const SESSIONS: &str = "SELECT 1 FROM pg_stat_activity WHERE usename = '{role}'";

#[derive(Deserialize)]
struct Rows {
    rows: f64,
}

impl<'a> Client<'a> {
    async fn new(cx: &'a Context, kind: Kind) -> CheckResult<Self> {
        let pipeline = cx.pipeline()?.through_outages();
        let accepted = pipeline.complete(&cx.document().build()).await?.accepted;
        if kind != Kind::Queue {
            // Workers read, too.
            cx.control(ControlAction::StopWorkers).await?;
        }
        Ok(Self {
            cx,
            kind,
            pipeline,
            accepted,
        })
    }

    /// Adds copies of the document; `user` is an expression for the user of copy `n`.
    async fn copy(&self, count: usize, user: &str) -> CheckResult {
        let database = self.cx.own_database()?;
        for statement in COPIES {
            let statement = statement
                .replace("{user}", user)
                .replace("{count}", &count.to_string())
                .replace("{document}", &self.accepted.document_id.to_string());
            database.execute(&statement).await?;
        }
        Ok(())
    }

    async fn cost(&self) -> CheckResult<Cost> {
        let rows = self.rows().await?;
        if self.kind == Kind::Queue {
            let began = Instant::now();
            pass(self.cx, "an idle worker is measured", IDLE).await?;
            let polls = began.elapsed().as_secs_f64()
                / self.cx.contract().timing.poll_interval.as_secs_f64();
            let read = self.rows().await? - rows;
            return Ok(Cost {
                rows: read / polls,
                sent: 0.0,
            });
        }
        self.request_until_answered().await?;
        let sent = self.sent()?;
        for _ in 0..MEASURED {
            let answer = self.request().await?;
            let is_answered = answer.is_ok_and(|answer| answer.status < 500);
            ensure!(is_answered, "{} is not answered", self.kind.what());
        }
        let sent = self.sent()? - sent;
        let read = self.rows().await? - rows;
        Ok(Cost {
            rows: read / f64::from(MEASURED + 1),
            sent: sent / f64::from(MEASURED),
        })
    }

    /// The rows that have been read so far. A session reports what it has read at its end.
    async fn rows(&self) -> CheckResult<f64> {
        run_as_owner(self.cx, &[END_SESSIONS]).await?;
        let database = self.cx.database()?;
        let ended = SESSIONS.replace("{role}", self.cx.processes()?.spec().app_role);
        if self.kind != Kind::Queue {
            let gone = async || Ok((database.count(&ended, &[]).await? == 0).then_some(()));
            let what = "the sessions of the services end";
            self.cx.eventually(what, WITHIN, gone).await?;
        }
        let rows: Vec<Rows> = database.rows(ROWS, &[]).await?;
        Ok(rows.first().map_or(0.0, |rows| rows.rows))
    }

    /// The bytes that the API has sent to the database so far.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
    fn sent(&self) -> CheckResult<f64> {
        Ok(self.cx.link(LinkName::ApiToDatabase)?.traffic().sent as f64)
    }

    /// A first request, which may meet a connection that has ended.
    async fn request_until_answered(&self) -> CheckResult {
        let answered = async || {
            let answer = self.request().await?;
            Ok(answer.is_ok_and(|answer| answer.status < 500).then_some(()))
        };
        let what = "a request is answered after the sessions ended";
        self.cx.eventually(what, WITHIN, answered).await
    }

    async fn request(&self) -> CheckResult<ResponseResult> {
        let pipeline = &self.pipeline;
        match self.kind {
            Kind::Job | Kind::Queue => pipeline.try_show(&self.accepted, WITHIN).await,
            Kind::Document => pipeline.try_document(&self.accepted, WITHIN).await,
            Kind::List => pipeline.try_jobs(WITHIN).await,
            Kind::Search => pipeline.try_search("costs", 3, WITHIN).await,
            Kind::Register => {
                // A user may have few documents at a time.
                let another = self.cx.pipeline()?.through_outages();
                let document = self.cx.document().build();
                another.try_register(document.upload(), WITHIN).await
            }
        }
    }
}
