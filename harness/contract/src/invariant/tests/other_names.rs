//! The invariants and the rows of a pipeline whose tables and columns have other names and types.

use uuid::Uuid;

use super::test_pipeline::{Sound, TestPipeline};
use crate::contract::{Contract, DatabaseLayout, Read, read};
use crate::invariant::{ALL, Scope};
use crate::probe::Database;
use cutover_evidence::stop::Stop;

/// The tables under other names, next to the originals: ids are texts, and some columns are missing.
const OTHER_NAMES: &str = r#"
    CREATE SCHEMA other;
    CREATE VIEW other."Files" AS SELECT document_id::text AS id, user_id::text AS owner, filename AS title, bytes_len,
        file_sha256 AS hash, raw_path, parsed_path, processing_status AS phase, created_at, updated_at
        FROM upload_pipeline.documents;
    CREATE VIEW public.runs AS SELECT job_id::text AS id, document_id::text AS file, status AS phase, state,
        retry_count, created_at, updated_at FROM upload_pipeline.upload_jobs;
    CREATE VIEW other.passages AS SELECT chunk_id::text AS id, document_id::text AS file, chunk_ord AS position,
        text AS body, embedding AS vector FROM upload_pipeline.document_chunks;
"#;

/// The contract of these tables.
const LAYOUT: &str = r#"
    [database]
    schema = "other"
    [database.tables]
    documents = "Files"
    jobs = "public.runs"
    chunks = "passages"
    events = "none"
    webhook_log = "none"
    [database.columns.documents]
    document_id = "id"
    user_id = "owner"
    filename = "title"
    mime = "none"
    file_sha256 = "hash"
    parsed_sha256 = "none"
    processing_status = "phase"
    [database.columns.jobs]
    job_id = "id"
    document_id = "file"
    status = "phase"
    last_error = "none"
    progress = "none"
    claimed_by = "none"
    claimed_at = "none"
    lease_expires_at = "none"
    next_attempt_at = "none"
    webhook_secret = "none"
    [database.columns.chunks]
    chunk_id = "id"
    document_id = "file"
    chunk_ord = "position"
    text = "body"
    chunker_name = "none"
    chunker_version = "none"
    chunk_sha = "none"
    embed_model = "none"
    vector_dim = "none"
    embedding = "vector"
    created_at = "none"
    updated_at = "none"
"#;

fn layout() -> DatabaseLayout {
    let default = include_str!("../../../../../fixtures/contracts/upload_pipeline.toml");
    let contract = Contract::parse_with_overrides(default, &LAYOUT.parse().unwrap(), "x.toml");
    contract.unwrap().database
}

/// A pipeline with other names, one correct document, and a probe that knows the names.
async fn pipeline() -> (TestPipeline, Sound) {
    let mut pipeline = TestPipeline::with_layout(OTHER_NAMES).await;
    let sound = pipeline.sound().await;
    pipeline.contract.database = layout();
    pipeline.database = pipeline.other_database(&layout());
    (pipeline, sound)
}

#[tokio::test]
async fn rows_and_invariants_are_read_through_the_names_of_the_contract() {
    let (pipeline, sound) = pipeline().await;
    rows_have_their_values(&pipeline.database, &sound).await;
    undeclared_columns_are_empty(&pipeline, &sound).await;
    let (held, refused) = invariants(&pipeline, sound.user).await;
    assert_eq!(
        refused,
        ["chunk_hashes_match", "parsed_objects_are_as_recorded"],
        "only what needs a missing column is refused"
    );
    assert_eq!(held.len() + refused.len(), ALL.len());
    let broken = "UPDATE document_chunks SET text = 'other' WHERE $document;
                  UPDATE upload_jobs SET state = 'queued' WHERE $job";
    pipeline.execute(sound.about(broken)).await;
    let (held, _) = invariants(&pipeline, sound.user).await;
    for name in [
        "joined_chunks_agree_with_the_parsed_text",
        "complete_implies_done",
    ] {
        assert!(!held.contains(&name), "{name} holds for a broken document");
    }
}

async fn rows_have_their_values(database: &Database, sound: &Sound) {
    let rows = database.documents_of(sound.user).await.unwrap();
    let [row] = rows.as_slice() else {
        panic!("expected one document, not {rows:?}")
    };
    assert_eq!(row.filename.as_deref(), Some("a.pdf"));
    assert_eq!((&row.mime, &row.parsed_sha256), (&None, &None));
    let id = row.document_id;
    assert_eq!(database.document(id).await.unwrap().as_ref(), Some(row));
    let jobs = database.jobs_of(id).await.unwrap();
    assert_eq!(jobs[0].status, "complete");
    let chunks = database.chunks_of(id).await.unwrap();
    assert_eq!(chunks.len(), 2);
    assert!(chunks[0].has_vector() && chunks[1].text.starts_with("# Two"));
    assert_eq!(chunks[0].chunk_sha, None);
    let events = database.events_of(jobs[0].job_id).await.unwrap_err();
    assert!(
        events
            .to_string()
            .contains("contract.database.tables.events")
    );
    let query = "SELECT chunk_sha FROM {schema}.document_chunks";
    let error = database.count(query, &[]).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("contract.database.columns.chunks.chunk_sha")
    );
    let query = "SELECT 1 FROM {schema}.upload_jobs WHERE status = $1 AND document_id = $2";
    let found = database.count(query, &["complete".into(), id.into()]).await;
    assert_eq!(found.unwrap(), 1);
}

/// A check sees only the columns that it declares, so a missing declaration is noticed at once.
async fn undeclared_columns_are_empty(pipeline: &TestPipeline, sound: &Sound) {
    let declaring = |reads: &[Read]| pipeline.database.clone().declaring("a_check", reads);
    let unnamed = declaring(&[read::DOCUMENTS]);
    let rows = unnamed.documents_of(sound.user).await.unwrap();
    assert_eq!((rows[0].user_id, &rows[0].filename), (sound.user, &None));
    let named = declaring(&[read::document::FILENAME]);
    let rows = named.documents_of(sound.user).await.unwrap();
    assert!(rows[0].filename.is_some());
    let jobs = declaring(&[read::DOCUMENTS]).jobs_of(Uuid::nil()).await;
    assert!(
        jobs.unwrap_err()
            .to_string()
            .contains("'a_check' reads jobs")
    );
}

/// The names of the invariants that hold, and of those that the contract refuses.
async fn invariants(pipeline: &TestPipeline, user: Uuid) -> (Vec<&str>, Vec<&str>) {
    let scope = Scope::users([user]);
    let (mut held, mut refused) = (Vec::new(), Vec::new());
    for invariant in ALL {
        match invariant.violations(&pipeline.surfaces(&scope)).await {
            Ok(violations) if violations.is_empty() => held.push(invariant.name),
            Ok(_) => {}
            Err(Stop::Skip { .. }) => refused.push(invariant.name),
            Err(stop) => panic!("{}: {}", invariant.name, stop.summary()),
        }
    }
    (held, refused)
}
