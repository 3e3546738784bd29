//! The standing of a document, read in every way that a target has.

use serde_json::json;
use uuid::Uuid;

use super::served::{JOB, accepting, answer, job_path, pipeline, upload};
use crate::contract::{JobView, Way};
use cutover_evidence::stop::CheckResult;

fn document_path() -> String {
    format!("/api/v2/documents/{}", Uuid::nil())
}

async fn completed(overrides: &str, routes: &[(&str, serde_json::Value)]) -> CheckResult<JobView> {
    let (server, pipeline) = pipeline(overrides).await;
    accepting(&server, 200).await;
    for (path, body) in routes {
        answer(&server, "GET", path, 200, body.clone()).await;
    }
    Ok(pipeline.complete(upload()).await?.job)
}

#[tokio::test]
async fn a_document_is_complete_if_any_way_says_so_where_others_fail() {
    let document = [(&*document_path(), json!({"processing_status": "complete"}))];
    let job = completed("", &document).await.unwrap();
    assert_eq!(job.way, Way::Document);
    let list = json!({"jobs": [{"job_id": JOB, "status": "complete", "state": "done"}]});
    let list = [("/api/v2/jobs", list)];
    for overrides in [
        "",
        "routes.job.presence = 'absent'\nroutes.document.presence = 'absent'",
    ] {
        let job = completed(overrides, &list).await.unwrap();
        assert_eq!(job.way, Way::Jobs);
    }
}

#[tokio::test]
async fn a_route_that_stays_behind_is_left_after_the_grace_time() {
    let stuck = json!({"status": "chunking", "state": "working"});
    let document = json!({"processing_status": "complete"});
    let routes = [(&*job_path(), stuck), (&*document_path(), document)];
    let job = completed("standing.grace = '50ms'", &routes).await.unwrap();
    assert_eq!(job.way, Way::Document);
}

#[tokio::test]
async fn a_failure_that_is_tried_again_is_not_final_for_a_way_without_states() {
    let waiting = json!({"status": "failed_embedding", "state": "retryable"});
    let document = json!({"processing_status": "failed_embedding"});
    let routes = [(&*job_path(), waiting), (&*document_path(), document)];
    let overrides = "standing.grace = '20ms'\ntiming.complete_within = '1s'";
    let stop = completed(overrides, &routes).await.unwrap_err();
    let text = format!("{stop:?}");
    assert!(!text.contains("reached a final state"), "{text}");
}

#[tokio::test]
async fn documents_may_have_words_of_their_own() {
    let overrides = "routes.job.presence = 'absent'\n\
        [vocabulary]\ndocuments = { complete = 'ready', failed = ['error'], active = ['pending'] }";
    let ready = [(&*document_path(), json!({"processing_status": "ready"}))];
    let job = completed(overrides, &ready).await.unwrap();
    assert_eq!(job.status, "complete");
    let failed = [(&*document_path(), json!({"processing_status": "error"}))];
    assert!(completed(overrides, &failed).await.is_err());
    let unknown = [(&*document_path(), json!({"processing_status": "complete"}))];
    assert!(completed(overrides, &unknown).await.is_err());
}

#[tokio::test]
async fn null_is_a_status_only_where_the_contract_says_so() {
    let (server, strict) = pipeline("").await;
    accepting(&server, 200).await;
    answer(&server, "GET", &job_path(), 200, json!({"status": null})).await;
    let accepted = strict.accept(&upload()).await.unwrap();
    assert!(strict.view(&accepted).await.is_err());

    let (server, unset) = pipeline("vocabulary.unset_status = true").await;
    accepting(&server, 200).await;
    answer(&server, "GET", &job_path(), 200, json!({"status": null})).await;
    let accepted = unset.accept(&upload()).await.unwrap();
    assert_eq!(unset.view(&accepted).await.unwrap().status, "uploaded");
}
