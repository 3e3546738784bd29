//! Schema: the database itself refuses rows that must never be, and changes that no service may make.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::probe::{Attempt, DatabaseWrites};
use serde_json::{Value, json};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(the_database_refuses_impossible_rows, TABLES)
            .requires([Http, Database, Processes])
            .reads(read::NOTHING)
            .effect(Effect::Fault)
            .severity(High)
            .alone_with_workers(1),
        check!(the_services_cannot_rewrite_what_identifies_a_row)
            .requires([Http, Database, Processes])
            .reads(read::NOTHING)
            .effect(Effect::Fault)
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// A table, a copy of a row that it accepts, and copies that it must refuse.
pub(super) struct TableRows {
    name: &'static str,
    table: &'static str,
    /// What makes a copy of an existing row acceptable.
    copy: fn() -> Value,
    /// Columns that must not be null.
    decisive: &'static [&'static str],
    /// Changes that make the copy impossible.
    impossible: fn() -> Vec<Value>,
    /// Whether the services may update rows.
    updatable: bool,
}

impl Named for TableRows {
    fn name(&self) -> &'static str {
        self.name
    }
}

const TABLES: &[TableRows] = &[
    TableRows {
        name: "documents",
        table: "documents",
        copy: || json!({"document_id": Uuid::new_v4(), "file_sha256": "e".repeat(64)}),
        decisive: &[
            "document_id",
            "user_id",
            "filename",
            "mime",
            "bytes_len",
            "file_sha256",
            "raw_path",
            "processing_status",
            "created_at",
            "updated_at",
        ],
        impossible: impossible_documents,
        updatable: true,
    },
    TableRows {
        name: "jobs",
        table: "upload_jobs",
        copy: || json!({"job_id": Uuid::new_v4()}),
        decisive: &[
            "job_id",
            "document_id",
            "status",
            "state",
            "retry_count",
            "progress",
            "webhook_secret",
            "next_attempt_at",
            "created_at",
            "updated_at",
        ],
        impossible: impossible_jobs,
        updatable: true,
    },
    TableRows {
        name: "chunks",
        table: "document_chunks",
        copy: || json!({"chunk_id": Uuid::new_v4(), "chunk_ord": 100_000}),
        decisive: &[
            "chunk_id",
            "document_id",
            "chunker_name",
            "chunker_version",
            "chunk_ord",
            "text",
            "chunk_sha",
            "created_at",
            "updated_at",
        ],
        impossible: impossible_chunks,
        updatable: true,
    },
    TableRows {
        name: "events",
        table: "events",
        copy: || json!({}),
        decisive: &["job_id", "document_id", "ts", "type", "severity", "code"],
        impossible: || {
            vec![
                json!({"type": "other"}),
                json!({"type": ""}),
                json!({"severity": "loud"}),
                json!({"job_id": Uuid::new_v4()}),
                json!({"document_id": Uuid::new_v4()}),
            ]
        },
        updatable: false,
    },
    TableRows {
        name: "callbacks",
        table: "webhook_log",
        copy: || json!({"webhook_id": Uuid::new_v4(), "payload_hash": "e".repeat(64)}),
        decisive: &["webhook_id", "job_id", "processed_at", "payload_hash"],
        impossible: || {
            vec![
                json!({"job_id": Uuid::new_v4()}),
                json!({"payload_hash": ""}),
                json!({"payload_hash": "abc"}),
            ]
        },
        updatable: false,
    },
];

fn impossible_documents() -> Vec<Value> {
    let foreign = format!("files/user/{}/raw/00000000.pdf", Uuid::new_v4());
    vec![
        json!({"processing_status": "done"}),
        json!({"processing_status": ""}),
        json!({"processing_status": "COMPLETE"}),
        json!({"bytes_len": 0}),
        json!({"bytes_len": -1}),
        json!({"file_sha256": "abc"}),
        json!({"file_sha256": "E".repeat(64)}),
        json!({"filename": ""}),
        json!({"filename": "x".repeat(121)}),
        json!({"mime": ""}),
        json!({"parsed_sha256": "abc"}),
        json!({"parsed_sha256": null}),
        json!({"parsed_path": null}),
        json!({"raw_path": foreign}),
        json!({"parsed_path": foreign}),
    ]
}

fn impossible_jobs() -> Vec<Value> {
    let mut rows = vec![
        json!({"status": "done"}),
        json!({"status": ""}),
        json!({"status": "Complete"}),
        json!({"state": "complete"}),
        json!({"state": ""}),
        json!({"state": "DONE"}),
        json!({"retry_count": -1}),
        json!({"document_id": Uuid::new_v4()}),
        json!({"webhook_secret": ""}),
        json!({"progress": {"status_pct": 101, "total_pct": 100}}),
        json!({"progress": {"status_pct": -1, "total_pct": 100}}),
        json!({"progress": {}}),
        json!({"status": "failed_parse", "state": "deadletter", "last_error": null}),
        json!({"status": "failed_embedding", "state": "retryable", "last_error": null}),
    ];
    // A constraint that is unknown is not violated, so each null is tried with every other value.
    for state in ["queued", "retryable", "done", "deadletter"] {
        rows.push(json!({"status": null, "state": state, "last_error": {"code": "x"}}));
    }
    for status in ["uploaded", "parsed", "complete", "failed_parse"] {
        rows.push(json!({"status": status, "state": null, "last_error": {"code": "x"}}));
    }
    let illegal = [
        ("complete", "queued"),
        ("complete", "working"),
        ("complete", "retryable"),
        ("complete", "deadletter"),
        ("duplicate", "queued"),
        ("failed_parse", "queued"),
        ("failed_chunking", "working"),
        ("uploaded", "done"),
        ("parsed", "retryable"),
        ("embedding_in_progress", "deadletter"),
    ];
    let error = json!({"code": "x", "message": "x"});
    for (status, state) in illegal {
        rows.push(json!({"status": status, "state": state, "last_error": error}));
    }
    let (who, when) = ("worker", "2026-01-01T00:00:00Z");
    rows.extend([
        json!({"status": "parsed", "state": "working"}),
        json!({"status": "parsed", "state": "working", "claimed_by": who, "claimed_at": when}),
        json!({"status": "parsed", "state": "working", "claimed_by": who, "lease_expires_at": when}),
        json!({"status": "parsed", "state": "working", "claimed_at": when, "lease_expires_at": when}),
        json!({"status": "parsed", "state": "queued", "claimed_by": who}),
        json!({"status": "parsed", "state": "queued", "claimed_at": when}),
        json!({"status": "parsed", "state": "queued", "lease_expires_at": when}),
        json!({"claimed_by": who, "claimed_at": when, "lease_expires_at": when}),
    ]);
    rows
}

fn impossible_chunks() -> Vec<Value> {
    vec![
        json!({"chunk_ord": -1}),
        json!({"text": ""}),
        json!({"chunk_sha": "abc"}),
        json!({"chunk_sha": ""}),
        json!({"document_id": Uuid::new_v4()}),
        json!({"embedding": [1, 2]}),
        json!({"embedding": vec![0.5; 1_535]}),
        json!({"embedding": vec![0.5; 1_537]}),
        json!({"embedding": []}),
        json!({"vector_dim": 0}),
        json!({"vector_dim": -1_536}),
        json!({"vector_dim": null}),
        json!({"embed_model": null}),
    ]
}

/// The classes of errors by which a database refuses a row: bad data, violated constraints, missing rights.
fn is_refusal(code: &str) -> bool {
    code.starts_with("22") || code.starts_with("23") || code == "42501"
}

/// Writes as the services do, and rolls every write back.
struct AsService {
    database: DatabaseWrites,
    role: &'static str,
    accepted: Vec<String>,
}

impl AsService {
    fn new(cx: &Context) -> CheckResult<Self> {
        Ok(Self {
            database: cx.own_database()?,
            role: cx.processes()?.spec().app_role,
            accepted: Vec::new(),
        })
    }

    /// A write that must be refused.
    async fn refused(&mut self, what: &str, sql: &str) -> CheckResult {
        match self.database.attempt(self.role, sql).await? {
            Attempt::Accepted => self.accepted.push(what.to_owned()),
            Attempt::Refused { code, .. } if is_refusal(&code) => {}
            Attempt::Refused { code, message } => {
                return Err(anyhow::anyhow!("try {what}: {code} {message}").into());
            }
        }
        Ok(())
    }

    /// A write that must be accepted, or the refusals would mean nothing.
    async fn accepted(&self, sql: &str) -> CheckResult {
        let attempt = self.database.attempt(self.role, sql).await?;
        if attempt == Attempt::Accepted {
            return Ok(());
        }
        Err(anyhow::anyhow!("copy a sound row: {attempt:?}").into())
    }

    fn conclude(self, statement: &str) -> CheckResult {
        if self.accepted.is_empty() {
            return Ok(());
        }
        let summary = format!("the database accepts {} writes", self.accepted.len());
        Err(Stop::violated(
            Finding::new(summary).comparing(statement, self.accepted.join("\n")),
        ))
    }
}

/// A copy of a row with changes.
fn insert(table: &str, document: Uuid, changes: &Value) -> String {
    let of_document = if table == "webhook_log" {
        format!(
            "t.job_id IN (SELECT job_id FROM {{schema}}.upload_jobs WHERE document_id = '{document}')"
        )
    } else {
        format!("t.document_id = '{document}'")
    };
    format!(
        "INSERT INTO {{schema}}.{table} OVERRIDING USER VALUE
         SELECT (jsonb_populate_record(t, '{changes}'::jsonb)).* FROM {{schema}}.{table} t WHERE {of_document} LIMIT 1"
    )
}

/// The same changes to the row itself.
fn update(table: &str, document: Uuid, changes: &Value) -> String {
    let columns = changes.as_object().into_iter().flatten();
    let set: Vec<_> = columns
        .map(|(column, _)| {
            format!("{column} = (jsonb_populate_record(t, '{changes}'::jsonb)).{column}")
        })
        .collect();
    let set = set.join(", ");
    format!("UPDATE {{schema}}.{table} t SET {set} WHERE t.document_id = '{document}'")
}

fn merged(base: &Value, changes: &Value) -> Value {
    let mut row = base.clone();
    if let (Some(row), Some(changes)) = (row.as_object_mut(), changes.as_object()) {
        row.extend(changes.clone());
    }
    row
}

/// Rows that must never be are refused, whether they are inserted or an update leads to them.
async fn the_database_refuses_impossible_rows(cx: &Context, case: &TableRows) -> CheckResult {
    let done = cx.pipeline()?.complete(&cx.document().build()).await?;
    let (document, table) = (done.document_id(), case.table);
    let mut service = AsService::new(cx)?;
    service
        .accepted(&insert(table, document, &(case.copy)()))
        .await?;
    let nulls = case.decisive.iter().map(|column| json!({*column: null}));
    for changes in nulls.chain((case.impossible)()) {
        let row = merged(&(case.copy)(), &changes);
        let mut what = format!("insert into {table}: {changes}");
        what.truncate(what.floor_char_boundary(120));
        service
            .refused(&what, &insert(table, document, &row))
            .await?;
        if case.updatable {
            let what = what.replacen("insert into", "update of", 1);
            service
                .refused(&what, &update(table, document, &changes))
                .await?;
        }
    }
    repeated_rows(&mut service, case, document).await?;
    service.conclude("rows that must never be are refused")
}

/// Rows that may exist once only.
async fn repeated_rows(service: &mut AsService, case: &TableRows, document: Uuid) -> CheckResult {
    let table = case.table;
    let copies: &[(&str, Value, Value)] = &match table {
        "documents" => [(
            "the same file of the same user twice",
            json!({"document_id": Uuid::new_v4()}),
            json!({}),
        )]
        .to_vec(),
        "upload_jobs" => ["queued", "retryable"]
            .map(|state| {
                let status = if state == "queued" { "uploaded" } else { "failed_parse" };
                let active = |status: &str, state: &str| {
                    json!({"job_id": Uuid::new_v4(), "status": status, "state": state, "last_error": {"code": "x"}})
                };
                ("a second active job", active("parsed", "queued"), active(status, state))
            })
            .to_vec(),
        "document_chunks" => [(
            "the same position twice",
            json!({"chunk_id": Uuid::new_v4()}),
            json!({}),
        )]
        .to_vec(),
        "webhook_log" => [(
            "the same callback twice",
            json!({"webhook_id": Uuid::new_v4()}),
            json!({}),
        )]
        .to_vec(),
        _ => Vec::new(),
    };
    for (what, first, second) in copies {
        let mut sql = insert(table, document, first);
        if second.as_object().is_some_and(|second| !second.is_empty()) {
            sql = format!("{sql}; {}", insert(table, document, second));
        }
        service.refused(what, &sql).await?;
    }
    Ok(())
}

/// Statements that no service needs.
const FORBIDDEN: &[&str] = &[
    "UPDATE {schema}.documents SET user_id = gen_random_uuid()",
    "UPDATE {schema}.documents SET document_id = gen_random_uuid()",
    "UPDATE {schema}.documents SET created_at = now()",
    "UPDATE {schema}.documents SET file_sha256 = repeat('e', 64)",
    "UPDATE {schema}.upload_jobs SET job_id = gen_random_uuid()",
    "UPDATE {schema}.upload_jobs SET document_id = gen_random_uuid()",
    "UPDATE {schema}.upload_jobs SET created_at = now()",
    "UPDATE {schema}.document_chunks SET document_id = gen_random_uuid()",
    "UPDATE {schema}.document_chunks SET chunk_ord = chunk_ord + 1",
    "UPDATE {schema}.events SET ts = now()",
    "UPDATE {schema}.events SET code = 'complete'",
    "DELETE FROM {schema}.events",
    "UPDATE {schema}.webhook_log SET processed_at = now()",
    "DELETE FROM {schema}.webhook_log",
    "TRUNCATE {schema}.documents CASCADE",
    "TRUNCATE {schema}.events",
    "DROP TABLE {schema}.events",
    "ALTER TABLE {schema}.documents DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE {schema}.upload_jobs DROP CONSTRAINT legal_status_and_state",
    "CREATE TABLE {schema}.other (id int)",
    "CREATE SCHEMA other",
    "CREATE ROLE other",
    "DELETE FROM _sqlx_migrations",
];

/// The services cannot change owners, ids, creation times and the history, nor the schema.
async fn the_services_cannot_rewrite_what_identifies_a_row(cx: &Context) -> CheckResult {
    cx.pipeline()?.complete(&cx.document().build()).await?;
    let mut service = AsService::new(cx)?;
    service
        .accepted("UPDATE {schema}.documents SET updated_at = now()")
        .await?;
    for statement in FORBIDDEN {
        service.refused(statement, statement).await?;
    }
    service.conclude("a service has no rights that it does not need")
}
