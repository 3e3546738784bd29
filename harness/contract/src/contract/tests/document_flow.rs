//! The document flow against correct and faulty pipelines.

use cutover_reports::record::Finding;
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use super::served::{JOB, accepting, answer, job_path, pipeline, upload};
use cutover_evidence::stop::{CheckResult, Stop};

fn finding<T>(result: CheckResult<T>) -> Finding {
    match result {
        Err(Stop::Violated(finding)) => *finding,
        Err(other) => panic!("expected a finding, not {other:?}"),
        Ok(_) => panic!("expected a finding"),
    }
}

#[tokio::test]
async fn an_accepted_document_becomes_complete() {
    let (server, pipeline) = pipeline("").await;
    accepting(&server, 200).await;
    let in_progress = json!({"status": "chunking", "state": "working"});
    Mock::given(method("GET"))
        .and(path(job_path()))
        .respond_with(ResponseTemplate::new(200).set_body_json(in_progress))
        .up_to_n_times(2)
        .mount(&server)
        .await;
    answer(
        &server,
        "GET",
        &job_path(),
        200,
        json!({"status": "complete", "state": "done"}),
    )
    .await;
    let completed = pipeline.complete(upload()).await.unwrap();
    assert_eq!(
        (completed.job_id(), completed.job.status.as_str()),
        (JOB, "complete")
    );
    assert_eq!(
        completed
            .accepted
            .expires_at(pipeline.contract())
            .unwrap()
            .unix_timestamp(),
        1_767_323_045
    );

    let requests = server.received_requests().await.unwrap();
    let put = requests
        .iter()
        .find(|request| request.method == "PUT")
        .unwrap();
    assert_eq!(
        (put.body.as_slice(), &put.headers["content-type"]),
        (&b"%PDF"[..], &"application/pdf".parse().unwrap())
    );
    assert!(
        !put.headers.contains_key("authorization"),
        "the signed URL is the only credential"
    );
    assert!(
        requests
            .iter()
            .filter(|request| request.method != "PUT")
            .all(|request| request.headers["authorization"] == "Bearer token")
    );
}

#[tokio::test]
async fn a_failed_job_is_a_finding_that_quotes_its_error() {
    let (server, pipeline) = pipeline("").await;
    accepting(&server, 200).await;
    let failed = json!({"status": "failed_parse", "state": "deadletter", "last_error": {"code": "parser_401"}});
    answer(&server, "GET", &job_path(), 200, failed).await;
    let finding = finding(pipeline.complete(upload()).await);
    assert_eq!(finding.expected.as_deref(), Some("complete"));
    assert!(finding.actual.unwrap().contains("parser_401"));
}

#[tokio::test]
async fn a_job_that_never_ends_is_a_finding_with_its_last_status() {
    let (server, pipeline) = pipeline("timing.complete_within = '100ms'").await;
    accepting(&server, 200).await;
    answer(
        &server,
        "GET",
        &job_path(),
        200,
        json!({"status": "parse_queued", "state": "queued"}),
    )
    .await;
    let finding = finding(pipeline.complete(upload()).await);
    assert_eq!(finding.actual.as_deref(), Some("parse_queued, queued"));
}

#[tokio::test]
async fn a_rejected_registration_and_a_rejected_upload_are_findings() {
    let (server, rejecting) = pipeline("").await;
    answer(
        &server,
        "POST",
        "/api/v2/upload",
        500,
        json!({"error": "boom"}),
    )
    .await;
    let actual = finding(rejecting.upload(upload()).await).actual.unwrap();
    assert_eq!(actual, r#"500 {"error":"boom"}"#);

    let (server, pipeline) = pipeline("").await;
    accepting(&server, 403).await;
    assert_eq!(
        finding(pipeline.upload(upload()).await).actual.unwrap(),
        "403 {}"
    );
}

#[tokio::test]
async fn a_response_without_required_fields_is_a_finding() {
    for body in [
        json!({}),
        json!({"job_id": "x"}),
        json!({"job_id": JOB, "document_id": JOB, "signed_url": "/relative"}),
    ] {
        let (server, pipeline) = pipeline("").await;
        answer(&server, "POST", "/api/v2/upload", 200, body).await;
        finding(pipeline.accept(&upload()).await);
    }
}

#[tokio::test]
async fn an_outage_is_tolerated_only_if_it_is_expected() {
    let (server, pipeline) = pipeline("").await;
    accepting(&server, 200).await;
    Mock::given(method("GET"))
        .and(path(job_path()))
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(2)
        .mount(&server)
        .await;
    answer(
        &server,
        "GET",
        &job_path(),
        200,
        json!({"status": "complete", "state": "done"}),
    )
    .await;
    let accepted = pipeline.upload(upload()).await.unwrap();
    assert!(
        finding(pipeline.until_complete(&accepted).await)
            .actual
            .unwrap()
            .starts_with("503")
    );
    pipeline
        .through_outages()
        .until_complete(&accepted)
        .await
        .unwrap();
}
