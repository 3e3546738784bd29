//! The storage probe against the success, not-found and error responses of Supabase Storage.

use serde_json::json;
use wiremock::matchers::{header_exists, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::probe::{Http, Storage, StorageError, client};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;

async fn responding(verb: &str, response: ResponseTemplate) -> (MockServer, Storage) {
    let server = MockServer::start().await;
    Mock::given(method(verb))
        .and(path("/storage/v1/object/files/user/a.pdf"))
        .and(header_exists("apikey"))
        .and(header_exists("authorization"))
        .respond_with(response)
        .mount(&server)
        .await;
    let http = Http::new(client().unwrap(), "storage", Recorder::silent());
    let storage = Storage::new(
        http,
        server.uri().parse().unwrap(),
        Secret::new("service-role"),
    );
    (server, storage)
}

fn error_response(status: u16, body: &serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

#[tokio::test]
async fn a_read_sends_both_credential_headers() {
    let (_server, storage) =
        responding("GET", ResponseTemplate::new(200).set_body_bytes(*b"%PDF")).await;
    assert_eq!(
        storage.get("files/user/a.pdf").await.unwrap().as_deref(),
        Some(&b"%PDF"[..])
    );
}

#[tokio::test]
async fn every_form_of_a_not_found_response_is_recognized() {
    let responses = [
        error_response(
            400,
            &json!({"statusCode": "404", "error": "not_found", "message": "Object not found"}),
        ),
        error_response(400, &json!({"statusCode": 404, "error": "Not Found"})),
        ResponseTemplate::new(404),
    ];
    for response in responses {
        let (_server, storage) = responding("GET", response).await;
        assert_eq!(storage.get("files/user/a.pdf").await.unwrap(), None);
    }
}

#[tokio::test]
async fn any_other_error_response_is_not_a_missing_object() {
    let errors = [
        error_response(
            400,
            &json!({"statusCode": "403", "error": "Unauthorized", "message": "row-level security"}),
        ),
        error_response(
            400,
            &json!({"statusCode": "404", "error": "Bucket not found", "message": "Bucket not found"}),
        ),
        ResponseTemplate::new(500),
    ];
    for response in errors {
        let (_server, storage) = responding("GET", response).await;
        let error = storage.get("files/user/a.pdf").await.unwrap_err();
        assert!(matches!(error, StorageError::Refused { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_failed_head_request_is_followed_by_a_get_request() {
    let (server, storage) = responding("HEAD", ResponseTemplate::new(400)).await;
    Mock::given(method("GET"))
        .respond_with(error_response(
            400,
            &json!({"statusCode": "404", "message": "Object not found"}),
        ))
        .mount(&server)
        .await;
    assert!(!storage.exists("files/user/a.pdf").await.unwrap());
}

#[tokio::test]
async fn a_path_without_a_bucket_or_a_key_is_an_error() {
    let (_server, storage) = responding("GET", ResponseTemplate::new(200)).await;
    for path in ["", "files", "files/", "/a"] {
        let error = storage.get(path).await.unwrap_err();
        assert!(
            matches!(error, StorageError::Path { .. }),
            "'{path}': {error}"
        );
    }
}
