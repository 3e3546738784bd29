//! A deletion counts only if what showed the document before no longer does.

use serde_json::json;
use uuid::Uuid;
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::served::{answer, pipeline};

const DOCUMENT: Uuid = Uuid::from_u128(7);

fn document_path() -> String {
    format!("/api/v2/documents/{DOCUMENT}")
}

/// Shows the document this many times, and answers 404 afterwards.
async fn shown(server: &MockServer, times: u64) {
    Mock::given(method("GET"))
        .and(path_regex(document_path()))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "document_id": DOCUMENT })))
        .up_to_n_times(times)
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_document_that_was_shown_and_is_unknown_afterwards_is_gone() {
    let (server, pipeline) = pipeline("").await;
    shown(&server, 1).await;
    answer(&server, "DELETE", &document_path(), 200, json!({})).await;
    assert!(pipeline.delete_and_verify(DOCUMENT).await);
    // From now on, the route is known to show documents.
    assert!(pipeline.delete_and_verify(Uuid::from_u128(8)).await);
}

#[tokio::test]
async fn a_route_that_answers_404_to_everything_proves_nothing() {
    let (_server, pipeline) = pipeline("").await;
    assert!(!pipeline.delete_and_verify(DOCUMENT).await);
}

#[tokio::test]
async fn a_success_that_deletes_nothing_is_noticed() {
    let (server, pipeline) = pipeline("").await;
    shown(&server, 9).await;
    answer(&server, "DELETE", &document_path(), 200, json!({})).await;
    assert!(!pipeline.delete_and_verify(DOCUMENT).await);
}

#[tokio::test]
async fn without_a_way_to_delete_or_to_look_a_document_is_left() {
    let (server, no_delete) = pipeline("routes.delete_document.presence = 'absent'").await;
    shown(&server, 9).await;
    assert!(!no_delete.delete_and_verify(DOCUMENT).await);
    let requests = server.received_requests().await.unwrap();
    assert!(requests.iter().all(|request| request.method == "GET"));

    let overrides = "routes.document.presence = 'absent'\nroutes.jobs.presence = 'absent'";
    let (server, blind) = pipeline(overrides).await;
    answer(&server, "DELETE", &document_path(), 200, json!({})).await;
    assert!(!blind.delete_and_verify(DOCUMENT).await);
}

#[tokio::test]
async fn a_document_that_one_of_two_ways_still_shows_is_left() {
    let (server, pipeline) = pipeline("").await;
    shown(&server, 1).await;
    answer(&server, "DELETE", &document_path(), 200, json!({})).await;
    let jobs =
        json!({"jobs": [{"job_id": DOCUMENT, "document_id": DOCUMENT, "status": "complete"}]});
    answer(&server, "GET", "/api/v2/jobs", 200, jobs).await;
    assert!(!pipeline.delete_and_verify(DOCUMENT).await);
}
