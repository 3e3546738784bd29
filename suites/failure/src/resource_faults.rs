//! Resource faults: the database is locked, refuses or ends for a moment while documents flow, and nothing is lost.

use std::time::Duration;

use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::stack::Overrides;
use futures::join;

use crate::fault_requests::{Moment, Prepared, recovers_within};
use crate::flowing::{self, all_complete_once, expect_no_idle_transaction};
use cutover_suite_support::own_database::{END_SESSIONS, pass, run_as_owner};
use cutover_suite_support::responses::wait_for_status;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_limited_database_loses_no_document, FAULTS)
            .requires([Http, Database, Storage, Standins, Processes])
            .calls([Endpoint::Job])
            .reads(flowing::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(Critical)
            .alone_with_workers(1),
    ]
}

/// How long a fault lasts: shorter than a lease.
const HELD: Duration = Duration::from_millis(900);

/// A limit of the database that lasts a moment. `{role}` is the role of the services, and `{documents}` are the ids of
/// the documents.
pub(super) struct Fault {
    name: &'static str,
    /// What another session does in a transaction that stays open meanwhile.
    held: &'static str,
    /// The statements with which the fault begins.
    begin: &'static [&'static str],
    /// The statements in it, after the providers have answered.
    late: &'static [&'static str],
    /// The statements with which it ends.
    end: &'static [&'static str],
    /// Whether nobody notices it.
    is_harmless: bool,
    /// Whether it is looked at afterwards that the worker counts as alive.
    shows_worker: bool,
}

impl Named for Fault {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// No fault.
const NONE: Fault = Fault {
    name: "",
    held: "",
    begin: &[],
    late: &[],
    end: &[],
    is_harmless: false,
    shows_worker: false,
};

const FAULTS: &[Fault] = &[
    Fault {
        name: "rows_of_jobs_are_locked",
        held: "SELECT FROM {schema}.upload_jobs WHERE document_id IN ({documents}) FOR UPDATE",
        ..NONE
    },
    Fault {
        name: "rows_of_documents_are_locked",
        held: "SELECT FROM {schema}.documents WHERE document_id IN ({documents}) FOR UPDATE",
        ..NONE
    },
    Fault {
        name: "the_table_of_jobs_is_locked",
        held: "LOCK TABLE {schema}.upload_jobs IN ACCESS EXCLUSIVE MODE",
        ..NONE
    },
    Fault {
        name: "a_reader_stays_open",
        held: "SELECT count(*) FROM {schema}.documents d LEFT JOIN {schema}.upload_jobs j USING (document_id)
               LEFT JOIN {schema}.document_chunks c USING (document_id)",
        is_harmless: true,
        ..NONE
    },
    // For the services, this is a server without a free connection: the code of the refusal is the same.
    Fault {
        name: "no_connection_is_left",
        begin: &["ALTER ROLE {role} CONNECTION LIMIT 0", END_SESSIONS],
        end: &["ALTER ROLE {role} CONNECTION LIMIT -1"],
        ..NONE
    },
    Fault {
        name: "every_session_is_ended",
        begin: &[END_SESSIONS],
        ..NONE
    },
    // The lock keeps each write in its transaction until its session ends.
    Fault {
        name: "every_session_is_ended_in_its_transaction",
        held: "LOCK TABLE {schema}.upload_jobs IN SHARE ROW EXCLUSIVE MODE",
        late: &[END_SESSIONS],
        ..NONE
    },
    // The lock keeps each write waiting for longer than its statement may take.
    Fault {
        name: "statements_time_out",
        held: "LOCK TABLE {schema}.upload_jobs IN EXCLUSIVE MODE",
        begin: &["ALTER ROLE {role} SET statement_timeout = '100ms'", END_SESSIONS],
        end: &["ALTER ROLE {role} RESET statement_timeout", END_SESSIONS],
        ..NONE
    },
    // For the services, this is a server without space: the code of the error is the same.
    Fault {
        name: "the_disk_is_full",
        begin: &[
            "CREATE FUNCTION {schema}.cutover_disk_full() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
                 RAISE EXCEPTION 'could not extend file \"base/16384/24576\": No space left on device'
                     USING ERRCODE = 'disk_full', HINT = 'Check free disk space.';
             END $f$",
            "CREATE TRIGGER cutover_disk_full BEFORE INSERT OR UPDATE ON {schema}.upload_jobs
                 FOR EACH ROW EXECUTE FUNCTION {schema}.cutover_disk_full()",
            "CREATE TRIGGER cutover_disk_full BEFORE INSERT OR UPDATE ON {schema}.documents
                 FOR EACH ROW EXECUTE FUNCTION {schema}.cutover_disk_full()",
            "CREATE TRIGGER cutover_disk_full BEFORE INSERT OR UPDATE ON {schema}.document_chunks
                 FOR EACH ROW EXECUTE FUNCTION {schema}.cutover_disk_full()",
        ],
        end: &["DROP FUNCTION {schema}.cutover_disk_full() CASCADE"],
        ..NONE
    },
    // As after a failover to a replica.
    Fault {
        name: "writes_are_refused",
        begin: &["ALTER ROLE {role} SET default_transaction_read_only = on", END_SESSIONS],
        end: &["ALTER ROLE {role} RESET default_transaction_read_only", END_SESSIONS],
        shows_worker: true,
        ..NONE
    },
];

impl Fault {
    fn moment(&self) -> Moment {
        Moment {
            what: format!("while {}", self.name.replace('_', " ")),
            may_fail: !self.is_harmless,
        }
    }

    /// Holds the fault for its time, while the services are asked. Afterwards the database is as before.
    async fn during<T>(
        &self,
        cx: &Context,
        documents: &Prepared,
        asking: impl Future<Output = T>,
    ) -> CheckResult<T> {
        let database = cx.own_database()?;
        let held = match self.held {
            "" => None,
            held => Some(
                database
                    .hold(&held.replace("{documents}", &documents.ids()))
                    .await?,
            ),
        };
        let begun = run_as_owner(cx, self.begin).await;
        let release = async {
            let outcome = match begun {
                Ok(()) => self.last(cx).await,
                failed => failed,
            };
            if let Some(held) = held {
                held.end().await?;
            }
            run_as_owner(cx, self.end).await?;
            outcome
        };
        let (answers, released) = join!(asking, release);
        released.map(|()| answers)
    }

    /// Lets the time of the fault pass. At its end, no request has left a transaction behind.
    async fn last(&self, cx: &Context) -> CheckResult {
        pass(cx, "the fault has lasted", HELD * 6 / 7).await?;
        run_as_owner(cx, self.late).await?;
        pass(cx, "the fault has lasted", HELD / 7).await?;
        expect_no_idle_transaction(cx).await
    }
}

/// While the database is limited, each request gets its answer or a 5xx; afterwards every document completes once.
async fn a_limited_database_loses_no_document(cx: &Context, case: &Fault) -> CheckResult {
    let documents = Prepared::prepare(cx).await?;
    let asking = Box::pin(documents.ask());
    let answers = Box::pin(case.during(cx, &documents, asking)).await?;
    let first = answers.judge(cx, &case.moment(), &documents)?;
    let documents = Box::pin(documents.go_on(cx, first)).await?;
    all_complete_once(cx, &documents).await?;
    if case.is_harmless {
        // The other documents have failed once on purpose.
        for document in documents.iter().take(3) {
            document.completes_undisturbed(cx).await?;
        }
    }
    if case.shows_worker {
        expect_live_worker(cx).await?;
    }
    expect_no_idle_transaction(cx).await
}

/// A worker whose heartbeats were refused for a while sends them again: an API that expects them often is ready.
async fn expect_live_worker(cx: &Context) -> CheckResult {
    let limit = cx.contract().timing.lease * 3 / 4;
    let limit = limit.as_millis().to_string();
    let overrides = Overrides::from([("QUEUE_AGE_LIMIT_MS".to_owned(), Some(limit))]);
    let api = cx.processes()?.start_extra_api(&overrides).await?;
    let pipeline = cx.pipeline()?.anonymous().at(api.url());
    let ready = async || pipeline.ready().await;
    let what = "after refused writes, the worker counts as alive";
    let seen = wait_for_status(cx, what, recovers_within(cx), 200, ready).await;
    api.end().await?;
    seen.map(drop)
}
