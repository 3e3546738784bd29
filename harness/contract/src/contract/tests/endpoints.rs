//! Endpoints with other routes, or without a route.

use serde_json::json;
use uuid::Uuid;

use super::served::{answer, pipeline, upload};
use crate::contract::{CallbackKeys, Endpoint, Proof};
use cutover_evidence::secret::Secret;
use cutover_evidence::stop::Stop;

#[tokio::test]
async fn an_absent_endpoint_is_not_requested() {
    let (server, pipeline) = pipeline("routes.jobs.presence = 'absent'").await;
    assert!(matches!(pipeline.jobs(&[]).await, Err(Stop::Skip { .. })));
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_missing_optional_endpoint_skips_the_check() {
    let (_server, optional) = pipeline("routes.search.presence = 'optional'").await;
    assert!(matches!(
        optional.search("a", 1).await,
        Err(Stop::Skip { .. })
    ));
    let (_server, required) = pipeline("").await;
    assert_eq!(required.search("a", 1).await.unwrap().status, 404);
}

#[tokio::test]
async fn a_job_route_may_use_the_document_id() {
    let (server, pipeline) =
        pipeline("routes.job.path = '{prefix}/documents/{document_id}/status'").await;
    super::served::accepting(&server, 200).await;
    let at = format!("/api/v2/documents/{}/status", Uuid::nil());
    answer(&server, "GET", &at, 200, json!({"status": "complete"})).await;
    assert_eq!(pipeline.complete(upload()).await.unwrap().job.state, None);
}

#[tokio::test]
async fn an_id_with_special_characters_is_one_path_segment() {
    let (_server, pipeline) = pipeline("").await;
    let request = pipeline.request(Endpoint::Job, "a/b?c#d").unwrap();
    assert!(format!("{request:?}").contains("/api/v2/jobs/a%2Fb%3Fc%23d"));
}

#[tokio::test]
async fn an_anonymous_request_has_no_token() {
    let (server, pipeline) = pipeline("").await;
    pipeline.anonymous().limits().await.unwrap();
    pipeline
        .callback(Uuid::nil(), "{}", &Proof::default())
        .await
        .unwrap();
    let requests = server.received_requests().await.unwrap();
    assert!(
        requests
            .iter()
            .all(|request| !request.headers.contains_key("authorization"))
    );
}

#[tokio::test]
async fn a_callback_has_its_proof_in_the_headers_of_the_contract() {
    let rules =
        "callback = { auth = 'both', signature_header = 'X-Sign', static_header = 'X-Word' }";
    let (server, pipeline) = pipeline(rules).await;
    let keys = CallbackKeys {
        secret: Some(Secret::new("Jefe")),
        token: Some(Secret::new("sesame")),
        url_token: None,
    };
    let body = "what do ya want for nothing?";
    for proof in [keys.proof(body.as_bytes()), Proof::default()] {
        pipeline.callback(Uuid::nil(), body, &proof).await.unwrap();
    }
    let requests = server.received_requests().await.unwrap();
    assert_eq!(
        requests[0].headers["x-sign"],
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(requests[0].headers["x-word"], "sesame");
    for header in ["x-sign", "x-word"] {
        assert!(!requests[1].headers.contains_key(header), "{header}");
    }
}

#[tokio::test]
async fn a_callback_has_its_token_in_the_url_as_a_parameter_or_a_segment() {
    let parameter = "callback = { auth = 'url_token', token_parameter = 'key' }";
    let segment = "callback = { auth = 'url_token', token_parameter = '' }\n\
                   routes = { callback = { path = '/hooks/{token}/{job_id}' } }";
    let keys = CallbackKeys {
        url_token: Some(Secret::new("a b")),
        ..CallbackKeys::default()
    };
    let route = "/api/upload-pipeline/webhook/llamaparse/7";
    for (rules, expected) in [
        (parameter, format!("{route}?key=a+b")),
        (segment, "/hooks/a%20b/7".to_owned()),
    ] {
        let (server, pipeline) = pipeline(rules).await;
        pipeline
            .callback(7, "{}", &keys.proof(b"{}"))
            .await
            .unwrap();
        let requests = server.received_requests().await.unwrap();
        assert!(
            requests[0].url.as_str().ends_with(&expected),
            "{}",
            requests[0].url
        );
        let rules = &pipeline.contract().callback;
        let path = &pipeline.contract().route(Endpoint::Callback).unwrap().path;
        let token = rules.token_of(requests[0].url.as_str(), path);
        assert_eq!(token.unwrap().expose(), "a b");
    }
}
