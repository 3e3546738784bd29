//! The HTTP probe against faulty servers: every request ends, is recorded, and has a defined meaning.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;
use wiremock::matchers::{body_json, header, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::recorded::TestJournal;
use crate::probe::{Http, HttpError, Request, client};
use cutover_evidence::secret::{MASK, Secret};
use cutover_evidence::stop::Stop;

fn http(recorded: &TestJournal) -> Http {
    Http::new(client().unwrap(), "api", recorded.recorder.clone())
}

fn url(server: &MockServer) -> Url {
    server.uri().parse().unwrap()
}

/// A server that reads one request and then runs `act` on the connection.
async fn server<F: Future<Output = ()> + Send>(
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

async fn send(recorded: &TestJournal, url: Url) -> HttpError {
    let request = Request::get(url).within(Duration::from_millis(400));
    http(recorded).send(request).await.unwrap_err()
}

/// The summary of the finding for an error.
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
    let recorded = TestJournal::new();
    let request = Request::post(url(&server))
        .bearer(&Secret::new("very-secret"))
        .json(&json!({"a": 1}));
    let response = http(&recorded).send(request).await.unwrap();
    assert_eq!(response.status, 201);
    assert_eq!(
        response.field("/url").unwrap(),
        "http://s/o?token=very-secret"
    );

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
async fn a_server_that_does_not_respond_is_a_finding() {
    let recorded = TestJournal::new();
    let url = server(|stream| async {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let summary = finding(send(&recorded, url).await);
    assert!(
        summary.starts_with("the api did not respond within 400ms: GET http://"),
        "{summary}"
    );
    assert_eq!(recorded.exchange().status, None);
}

#[tokio::test]
async fn an_incomplete_body_at_the_deadline_is_a_finding_and_its_beginning_is_kept() {
    let recorded = TestJournal::new();
    let url = server(|mut stream| async move {
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
async fn a_truncated_body_is_a_finding() {
    let recorded = TestJournal::new();
    let url = server(|mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort")
            .await;
    })
    .await;
    let summary = finding(send(&recorded, url).await);
    assert!(
        summary.starts_with("the api sent an incomplete response"),
        "{summary}"
    );
    assert_eq!(recorded.exchange().response_body.unwrap().text, "short");
}

#[tokio::test]
async fn an_unreachable_surface_means_could_not_tell() {
    let recorded = TestJournal::new();
    let error = send(&recorded, "http://127.0.0.1:1/".parse().unwrap()).await;
    assert!(matches!(error, HttpError::Unreachable { .. }), "{error}");
    assert!(matches!(error.into_stop(), Stop::Error(_)));
    assert!(
        recorded
            .exchange()
            .error
            .unwrap()
            .starts_with("connection failed")
    );
}

#[tokio::test]
async fn an_invalid_header_is_an_error_of_the_check() {
    let request = Request::get("http://127.0.0.1:1/".parse().unwrap()).header("a", "b\r\nc: d");
    let error = http(&TestJournal::new()).send(request).await.unwrap_err();
    assert!(matches!(error, HttpError::Unsendable { .. }), "{error}");
}
