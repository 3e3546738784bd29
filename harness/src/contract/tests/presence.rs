//! Endpoints that a target has elsewhere, or not at all.

use serde_json::json;
use uuid::Uuid;

use super::served::{answer, pipeline, upload};
use crate::contract::Endpoint;
use crate::stop::Stop;

#[tokio::test]
async fn an_absent_endpoint_is_not_asked_for() {
    let (server, pipeline) = pipeline("routes.jobs.presence = 'absent'").await;
    assert!(matches!(pipeline.jobs(&[]).await, Err(Stop::Skip { .. })));
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_optional_endpoint_that_is_missing_does_not_apply() {
    let (_server, optional) = pipeline("routes.search.presence = 'optional'").await;
    assert!(matches!(
        optional.search("a", 1).await,
        Err(Stop::Skip { .. })
    ));
    let (_server, required) = pipeline("").await;
    assert_eq!(required.search("a", 1).await.unwrap().status, 404);
}

#[tokio::test]
async fn a_job_may_be_shown_by_its_document() {
    let (server, pipeline) =
        pipeline("routes.job.path = '{prefix}/documents/{document_id}/status'").await;
    super::served::accepting(&server, 200).await;
    let at = format!("/api/v2/documents/{}/status", Uuid::nil());
    answer(&server, "GET", &at, 200, json!({"status": "complete"})).await;
    assert_eq!(pipeline.complete(upload()).await.unwrap().job.state, None);
}

#[tokio::test]
async fn a_hostile_id_stays_one_segment_of_the_path() {
    let (_server, pipeline) = pipeline("").await;
    let request = pipeline.request(Endpoint::Job, "a/b?c#d").unwrap();
    assert!(format!("{request:?}").contains("/api/v2/jobs/a%2Fb%3Fc%23d"));
}

#[tokio::test]
async fn nobody_sends_no_token() {
    let (server, pipeline) = pipeline("").await;
    pipeline.anonymous().limits().await.unwrap();
    pipeline
        .callback(Uuid::nil(), "{}", Some("abc"))
        .await
        .unwrap();
    let requests = server.received_requests().await.unwrap();
    assert!(
        requests
            .iter()
            .all(|request| !request.headers.contains_key("authorization"))
    );
    assert_eq!(requests[1].headers["x-webhook-signature"], "abc");
}
