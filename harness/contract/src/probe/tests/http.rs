//! The HTTP probe against hostile servers: whatever they do, it ends, it is recorded, and it means one thing.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;
use wiremock::matchers::{body_json, header, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::recorded::Recorded;
use crate::probe::{Http, HttpError, Request, client};
use cutover_evidence::secret::{MASK, Secret};
use cutover_evidence::stop::Stop;

fn http(recorded: &Recorded) -> Http {
    Http::new(client().unwrap(), "api", recorded.recorder.clone())
}

fn at(server: &MockServer) -> Url {
    server.uri().parse().unwrap()
}

/// A server that reads a request and then does this with the connection, once.
async fn hostile<F: Future<Output = ()> + Send>(
    act: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        act(stream).await;
    });
    format!("http://{address}/a").parse().unwrap()
}

async fn send(recorded: &Recorded, url: Url) -> HttpError {
    let request = Request::get(url).within(Duration::from_millis(400));
    http(recorded).send(request).await.unwrap_err()
}

/// The summary of the finding that an error becomes.
fn finding(error: HttpError) -> String {
    let stop = error.into_stop();
    let Stop::Violated(finding) = stop else {
        panic!("expected a finding, not {stop:?}")
    };
    finding.summary
}

#[tokio::test]
async fn an_exchange_is_recorded_without_its_secrets() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(header("authorization", "Bearer very-secret"))
        .and(body_json(json!({"a": 1})))
        .respond_with(
            ResponseTemplate::new(201)
                .set_body_json(json!({"url": "http://s/o?token=very-secret"})),
        )
        .mount(&server)
        .await;
    let recorded = Recorded::new();
    let request = Request::post(at(&server))
        .bearer(&Secret::new("very-secret"))
        .json(&json!({"a": 1}));
    let reply = http(&recorded).send(request).await.unwrap();
    assert_eq!(reply.status, 201);
    assert_eq!(reply.field("/url").unwrap(), "http://s/o?token=very-secret");

    let exchange = recorded.exchange();
    assert!(
        !serde_json::to_string(&exchange)
            .unwrap()
            .contains("very-secret")
    );
    let sent = &server.received_requests().await.unwrap()[0].headers;
    assert_eq!(sent["x-request-id"], exchange.correlation_id);
    assert_eq!(sent["traceparent"].len(), 55);
    let authorization = ("authorization".to_owned(), format!("Bearer {MASK}"));
    assert!(exchange.request_headers.contains(&authorization));
    assert_eq!(exchange.request_body.unwrap().text, r#"{"a":1}"#);
    assert_eq!((exchange.status, exchange.error), (Some(201), None));
}

#[tokio::test]
async fn silence_is_a_finding() {
    let recorded = Recorded::new();
    let url = hostile(|stream| async {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let summary = finding(send(&recorded, url).await);
    assert!(
        summary.starts_with("the api did not answer within 400ms: GET http://"),
        "{summary}"
    );
    assert_eq!(recorded.exchange().status, None);
}

#[tokio::test]
async fn a_body_that_drips_for_ever_is_a_finding_and_its_beginning_is_kept() {
    let recorded = Recorded::new();
    let url = hostile(|mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\ndrip")
            .await;
        std::future::pending::<()>().await;
    })
    .await;
    finding(send(&recorded, url).await);
    let exchange = recorded.exchange();
    assert_eq!(exchange.status, Some(200));
    assert_eq!(exchange.response_body.unwrap().text, "drip");
    assert!(exchange.error.unwrap().contains("deadline"));
}

#[tokio::test]
async fn a_body_that_ends_too_early_is_a_finding() {
    let recorded = Recorded::new();
    let url = hostile(|mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort")
            .await;
    })
    .await;
    let summary = finding(send(&recorded, url).await);
    assert!(
        summary.starts_with("the api broke off its answer"),
        "{summary}"
    );
    assert_eq!(recorded.exchange().response_body.unwrap().text, "short");
}

#[tokio::test]
async fn a_surface_that_cannot_be_reached_leaves_the_question_open() {
    let recorded = Recorded::new();
    let error = send(&recorded, "http://127.0.0.1:1/".parse().unwrap()).await;
    assert!(matches!(error, HttpError::Unreachable { .. }), "{error}");
    assert!(matches!(error.into_stop(), Stop::Error(_)));
    assert!(
        recorded
            .exchange()
            .error
            .unwrap()
            .starts_with("not reached")
    );
}

#[tokio::test]
async fn a_header_that_http_cannot_carry_is_our_mistake() {
    let request = Request::get("http://127.0.0.1:1/".parse().unwrap()).header("a", "b\r\nc: d");
    let error = http(&Recorded::new()).send(request).await.unwrap_err();
    assert!(matches!(error, HttpError::Unsendable { .. }), "{error}");
}
