//! Each case corrupts one document; exactly the expected invariants are violated.

use super::test_pipeline::TestPipeline;
use crate::invariant::{Scope, check};
use cutover_evidence::stop::Stop;

/// A change of a correct document's rows, and the invariants that it violates.
const BROKEN_ROWS: &[(&str, &[&str])] = &[
    ("SELECT 1", &[]),
    (
        "UPDATE upload_jobs SET state = 'queued' WHERE $job",
        &["complete_implies_done", "only_legal_status_state_pairs"],
    ),
    (
        "UPDATE upload_jobs SET status = 'finished' WHERE $job",
        &["documents_follow_their_jobs", "only_legal_status_state_pairs"],
    ),
    (
        "DELETE FROM document_chunks WHERE $document",
        &["complete_has_chunks", "joined_chunks_agree_with_the_parsed_text"],
    ),
    ("UPDATE document_chunks SET embedding = NULL WHERE $document", &["vectors_are_sound"]),
    ("UPDATE document_chunks SET embedding = '{0,-0,0}' WHERE $document", &["vectors_are_sound"]),
    ("UPDATE document_chunks SET embedding = '{1,NaN,0}' WHERE $document", &["vectors_are_sound"]),
    ("UPDATE document_chunks SET embedding = '{1,NULL,0}' WHERE $document", &["vectors_are_sound"]),
    ("UPDATE document_chunks SET embedding = '{1,0}' WHERE $document", &["vectors_are_sound"]),
    ("UPDATE document_chunks SET vector_dim = 4 WHERE $document", &["vectors_are_sound"]),
    ("UPDATE document_chunks SET embedding = '{1e-20,0,0}' WHERE $document", &[]),
    ("UPDATE document_chunks SET chunk_sha = 'x' WHERE $document", &["chunk_hashes_match"]),
    (
        "UPDATE document_chunks SET text = 'other', chunk_sha = encode(sha256('other'), 'hex') WHERE $document",
        &["joined_chunks_agree_with_the_parsed_text"],
    ),
    (
        "UPDATE document_chunks SET chunk_ord = 5 WHERE $document AND chunk_ord = 1",
        &["chunk_ords_are_contiguous", "ids_are_the_specified_ones"],
    ),
    (
        "UPDATE document_chunks SET chunk_id = gen_random_uuid() WHERE $document",
        &["ids_are_the_specified_ones"],
    ),
    (
        "UPDATE documents SET processing_status = 'failed_parse' WHERE $document;
         UPDATE upload_jobs SET status = 'failed_parse', state = 'deadletter' WHERE $job",
        &["failed_documents_have_no_chunks"],
    ),
    ("UPDATE documents SET bytes_len = 5 WHERE $document", &["raw_objects_are_as_registered"]),
    (
        "UPDATE documents SET file_sha256 = 'x' WHERE $document",
        &["raw_objects_are_as_registered", "ids_are_the_specified_ones"],
    ),
    ("UPDATE documents SET parsed_sha256 = NULL WHERE $document", &["parsed_objects_are_as_recorded"]),
    ("UPDATE documents SET parsed_path = NULL WHERE $document", &["parsed_objects_are_as_recorded"]),
    ("UPDATE documents SET raw_path = 'files/elsewhere.pdf' WHERE $document", &["paths_are_the_specified_ones"]),
    ("DELETE FROM upload_jobs WHERE $job", &["every_document_has_a_job"]),
    ("UPDATE documents SET processing_status = 'uploaded' WHERE $document", &["documents_follow_their_jobs"]),
    (
        "INSERT INTO upload_jobs (job_id, document_id, status, state, created_at)
         SELECT gen_random_uuid(), $id, 'parsed', state, now() - interval '1 day'
         FROM (VALUES ('queued'), ('working')) AS jobs (state)",
        &["at_most_one_active_job_per_document"],
    ),
    (
        "UPDATE documents SET updated_at = created_at - interval '1 hour' WHERE $document",
        &["timestamps_are_monotone"],
    ),
    ("UPDATE events SET ts = ts - interval '1 hour' WHERE $job", &["timestamps_are_monotone"]),
    (
        "INSERT INTO upload_jobs (job_id, document_id, status, state, created_at, updated_at)
         VALUES (gen_random_uuid(), $id, 'parse_queued', 'queued', now() - interval '1 day', now() - interval '1 hour')",
        &["no_status_is_older_than_its_deadline"],
    ),
    (
        "INSERT INTO upload_jobs (job_id, document_id, status, state, created_at, updated_at, next_attempt_at)
         VALUES (gen_random_uuid(), $id, 'failed_parse', 'retryable', now() - interval '1 day',
                 now() - interval '1 hour', now())",
        &[],
    ),
];

#[tokio::test]
async fn each_corruption_violates_exactly_the_expected_invariants() {
    let pipeline = TestPipeline::new().await;
    pipeline.store("files/elsewhere.pdf", b"%PDF");
    for (sql, expected) in BROKEN_ROWS {
        let sound = pipeline.sound().await;
        pipeline.execute(sound.about(sql)).await;
        let mut broken = pipeline.broken_for(sound.user).await;
        let mut expected = expected.to_vec();
        broken.sort_unstable();
        expected.sort_unstable();
        assert_eq!(broken, expected, "after {sql}");
    }
    broken_objects(&pipeline).await;
    all_at_once(&pipeline).await;
}

async fn broken_objects(pipeline: &TestPipeline) {
    let (raw, parsed) = (
        "raw_objects_are_as_registered",
        "parsed_objects_are_as_recorded",
    );
    let sound = pipeline.sound().await;
    pipeline.delete(&sound.raw_path(pipeline));
    assert_eq!(pipeline.broken_for(sound.user).await, [raw]);
    pipeline.store(&sound.raw_path(pipeline), b"%pdf");
    assert_eq!(pipeline.broken_for(sound.user).await, [raw]);

    let sound = pipeline.sound().await;
    pipeline.store(
        &sound.parsed_path(pipeline),
        b"# One\n\nfirst\n# Two\nsecond\n",
    );
    assert_eq!(
        pipeline.broken_for(sound.user).await,
        [parsed],
        "only whitespace differs"
    );
    pipeline.delete(&sound.parsed_path(pipeline));
    assert_eq!(pipeline.broken_for(sound.user).await, [parsed]);

    let sound = pipeline.sound().await;
    let parsed = sound.parsed_path(pipeline);
    let (folder, name) = parsed.rsplit_once('/').unwrap();
    let orphan = format!("{folder}/{}.md", "0".repeat(name.len() - 3));
    pipeline.store(&parsed.replace(".md", ".pages.md"), b"# One");
    assert_eq!(pipeline.broken_for(sound.user).await, [""; 0]);
    pipeline.store(&orphan, b"# One");
    let orphaned = ["every_object_has_a_document"];
    assert_eq!(pipeline.broken_for(sound.user).await, orphaned);
}

/// All invariants together: they hold for a user with correct data, and fail for all users.
async fn all_at_once(pipeline: &TestPipeline) {
    let sound = pipeline.sound().await;
    let check_scope = async |scope| {
        check(
            &pipeline.database,
            &pipeline.storage,
            &pipeline.contract,
            &scope,
        )
        .await
    };
    check_scope(Scope::users([sound.user])).await.unwrap();
    let Err(Stop::Violated(finding)) = check_scope(Scope::everything()).await else {
        panic!("expected a finding")
    };
    assert!(
        finding.summary.ends_with("do not hold"),
        "{}",
        finding.summary
    );
    assert!(finding.actual.unwrap().contains("its vector is zero"));

    let job = pipeline
        .database
        .jobs_of(pipeline.database.documents_of(sound.user).await.unwrap()[0].document_id);
    assert_eq!(job.await.unwrap()[0].state.as_deref(), Some("done"));
}
