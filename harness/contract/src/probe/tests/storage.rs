//! The storage probe against the ways in which storage says yes, no, and something else.

use serde_json::json;
use wiremock::matchers::{header_exists, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::probe::{Http, Storage, StorageError, client};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;

async fn answering(verb: &str, answer: ResponseTemplate) -> (MockServer, Storage) {
    let server = MockServer::start().await;
    Mock::given(method(verb))
        .and(path("/storage/v1/object/files/user/a.pdf"))
        .and(header_exists("apikey"))
        .and(header_exists("authorization"))
        .respond_with(answer)
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

fn refusal(http: u16, body: &serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(http).set_body_json(body)
}

#[tokio::test]
async fn an_object_is_read_with_both_headers() {
    let (_server, storage) =
        answering("GET", ResponseTemplate::new(200).set_body_bytes(*b"%PDF")).await;
    assert_eq!(
        storage.get("files/user/a.pdf").await.unwrap().as_deref(),
        Some(&b"%PDF"[..])
    );
}

#[tokio::test]
async fn a_missing_object_is_recognised_in_each_wording() {
    let wordings = [
        refusal(
            400,
            &json!({"statusCode": "404", "error": "not_found", "message": "Object not found"}),
        ),
        refusal(400, &json!({"statusCode": 404, "error": "Not Found"})),
        ResponseTemplate::new(404),
    ];
    for wording in wordings {
        let (_server, storage) = answering("GET", wording).await;
        assert_eq!(storage.get("files/user/a.pdf").await.unwrap(), None);
    }
}

#[tokio::test]
async fn any_other_refusal_is_an_error_and_not_a_missing_object() {
    let refusals = [
        refusal(
            400,
            &json!({"statusCode": "403", "error": "Unauthorized", "message": "row-level security"}),
        ),
        refusal(
            400,
            &json!({"statusCode": "404", "error": "Bucket not found", "message": "Bucket not found"}),
        ),
        ResponseTemplate::new(500),
    ];
    for answer in refusals {
        let (_server, storage) = answering("GET", answer).await;
        let error = storage.get("files/user/a.pdf").await.unwrap_err();
        assert!(matches!(error, StorageError::Refused { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_refused_look_is_decided_by_a_read() {
    let (server, storage) = answering("HEAD", ResponseTemplate::new(400)).await;
    Mock::given(method("GET"))
        .respond_with(refusal(
            400,
            &json!({"statusCode": "404", "message": "Object not found"}),
        ))
        .mount(&server)
        .await;
    assert!(!storage.exists("files/user/a.pdf").await.unwrap());
}

#[tokio::test]
async fn a_path_names_a_bucket_and_a_key() {
    let (_server, storage) = answering("GET", ResponseTemplate::new(200)).await;
    for path in ["", "files", "files/", "/a"] {
        let error = storage.get(path).await.unwrap_err();
        assert!(
            matches!(error, StorageError::Path { .. }),
            "'{path}': {error}"
        );
    }
}
