//! Proposals from the OpenAPI documents of three frameworks, and the refusal of other documents.

use serde_json::{Value, json};

use super::{OpenApiError, propose, read_document, read_operations};
use crate::init::draft::Draft;

const DEFAULT: &str = include_str!("../../../../../fixtures/contracts/upload_pipeline.toml");

fn proposed(document: &str) -> Draft {
    let document: Value = serde_json::from_str(document).unwrap();
    let operations = read_operations(&document, "a document").unwrap();
    let mut draft = Draft::default();
    propose(&operations, "a document", &mut draft).unwrap();
    draft
}

/// A text without quotes, a route as `METHOD path`, and anything else as TOML.
fn shown(table: &str, value: &toml::Value) -> String {
    let Some(route) = value.as_table().filter(|_| table == "routes") else {
        return value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
    };
    let text = |key: &str| route.get(key).and_then(toml::Value::as_str);
    text("path").map_or_else(
        || text("presence").unwrap().to_owned(),
        |path| format!("{} {path}", text("method").unwrap()),
    )
}

/// Asserts the values of keys, each written `table.key`; a route is written `METHOD path`.
#[track_caller]
fn assert_values(draft: &Draft, expected: &[(&str, &str)]) {
    for (path, expected) in expected {
        let (table, key) = path.rsplit_once('.').unwrap();
        let value = draft.value(table, key).map(|value| shown(table, value));
        assert_eq!(value.as_deref(), Some(*expected), "{path}");
    }
    // Whatever is proposed can be read as a contract.
    draft.contract(DEFAULT).unwrap();
    let text = draft.text_for(DEFAULT);
    assert!(!text.contains("the contract refuses"), "{text}");
}

#[test]
fn a_fastapi_document_is_understood() {
    let draft = proposed(include_str!("samples/fastapi.json"));
    assert_values(
        &draft,
        &[
            ("routes.upload", "POST /v1/files"),
            ("routes.job", "GET /v1/ingestions/{job_id}"),
            ("routes.jobs", "GET /v1/ingestions"),
            ("routes.retry", "POST /v1/ingestions/{job_id}/retry"),
            ("routes.document", "GET /v1/files/{document_id}"),
            ("routes.delete_document", "absent"),
            ("routes.search", "POST /v1/query"),
            ("routes.version", "absent"),
            ("statuses.accepted", "201"),
            ("statuses.invalid", "422"),
            ("requests.upload.filename", "/name"),
            ("requests.upload.bytes_len", "/size"),
            ("requests.upload.mime", "/content_type"),
            ("requests.upload.sha256", "/checksum"),
            ("requests.upload.ocr", "/options/ocr"),
            ("requests.search.query", "/question"),
            ("requests.search.k", "/top_k"),
            ("fields.accepted.job_id", "/ingestion_id"),
            ("fields.accepted.document_id", "/file_id"),
            ("fields.accepted.signed_url", "/upload/url"),
            ("fields.accepted.upload_expires_at", "/upload/expires_at"),
            ("fields.job.job_id", "/id"),
            ("fields.job.status", "/stage"),
            ("fields.job.last_error_code", "/error/code"),
            ("fields.jobs.jobs", "/items"),
            ("fields.document.chunk_count", "/passages"),
            ("fields.search.results", "/hits"),
            ("fields.search.chunk_id", "/passage_id"),
            ("vocabulary.statuses", r#"["parsing", "indexing", "done"]"#),
            ("vocabulary.complete", "done"),
            ("vocabulary.awaiting_callback", "parsing"),
        ],
    );
}

#[test]
fn a_nestjs_document_is_understood() {
    let draft = proposed(include_str!("samples/nestjs.json"));
    assert_values(
        &draft,
        &[
            ("routes.upload", "POST /api/v2/documents/upload-url"),
            ("routes.job", "GET /api/v2/jobs/{job_id}"),
            ("routes.jobs", "absent"),
            ("routes.retry", "POST /api/v2/jobs/{job_id}/retry"),
            (
                "routes.delete_document",
                "DELETE /api/v2/documents/{document_id}",
            ),
            (
                "routes.callback",
                "POST /api/v2/webhooks/llamaparse/{job_id}",
            ),
            ("routes.health", "GET /api/v2/health"),
            ("statuses.accepted", "201"),
            ("statuses.retried", "201"),
            ("statuses.searched", "201"),
            ("statuses.callback_accepted", "201"),
            ("statuses.invalid", "400"),
            ("requests.upload.filename", "/fileName"),
            ("requests.upload.bytes_len", "/fileSize"),
            ("requests.upload.ocr", "/useOcr"),
            ("requests.search.k", "/topK"),
            ("fields.accepted.signed_url", "/signedUrl"),
            ("fields.job.last_error_message", "/error/message"),
            ("fields.job.retry_count", "/attempts"),
            ("fields.error.message", "/message"),
            ("vocabulary.complete", "COMPLETED"),
            ("vocabulary.awaiting_callback", "PARSING"),
        ],
    );
}

#[test]
fn a_document_of_a_target_without_jobs_is_understood() {
    let draft = proposed(include_str!("samples/rails.json"));
    assert_values(
        &draft,
        &[
            ("routes.upload", "POST /api/v1/direct_uploads"),
            ("routes.job", "GET /api/v1/documents/{document_id}/status"),
            ("routes.jobs", "absent"),
            ("routes.search", "POST /api/v1/searches"),
            ("routes.health", "GET /api/v1/up"),
            ("requests.upload.bytes_len", "/blob/byte_size"),
            ("requests.upload.ocr", "none"),
            ("requests.search.query", "/search/q"),
            ("fields.accepted.document_id", "/document/id"),
            ("fields.accepted.job_id", "/document/id"),
            ("fields.accepted.signed_url", "/direct_upload/url"),
            ("fields.document.chunk_count", "/chunks_count"),
            ("fields.job.last_error_message", "/error_message"),
            ("vocabulary.complete", "ready"),
            ("vocabulary.awaiting_callback", "extracting"),
        ],
    );
    let failures = draft.value("vocabulary", "failures").unwrap().to_string();
    assert!(
        failures.contains(r#"embedding = "embed_failed""#),
        "{failures}"
    );
}

#[test]
fn a_document_that_is_no_openapi_document_is_refused() {
    for (document, problem) in [
        (json!([]), "version 3"),
        (json!({"openapi": "4.0"}), "version 3"),
        (json!({"openapi": "3.1.0"}), "object 'paths'"),
    ] {
        let refused = read_operations(&document, "x.json")
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("'x.json'") && refused.contains(problem),
            "{refused}"
        );
    }
    let empty = read_operations(
        &json!({"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}),
        "x.json",
    );
    let refused = propose(&empty.unwrap(), "x.json", &mut Draft::default()).unwrap_err();
    assert!(
        matches!(refused, OpenApiError::NoUpload { operations: 1, .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_named() {
    let refused = read_document("/nowhere/openapi.json").await.unwrap_err();
    assert!(
        refused.to_string().contains("/nowhere/openapi.json"),
        "{refused}"
    );
    let refused = read_document("http://127.0.0.1:1/openapi.json")
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("127.0.0.1:1"), "{refused}");
}

#[test]
fn a_schema_that_contains_itself_ends() {
    let document = json!({"openapi": "3.1.0", "paths": {"/files": {"post": {
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}},
        "responses": {},
    }}}, "components": {"schemas": {"Node": {"properties": {
        "name": {"type": "string"}, "child": {"$ref": "#/components/schemas/Node"},
    }}}}});
    let [operation] = &read_operations(&document, "x").unwrap()[..] else {
        panic!()
    };
    assert!(
        operation
            .request
            .iter()
            .any(|leaf| leaf.pointer == "/child/child/name")
    );
}
