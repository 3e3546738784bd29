//! Malformed HTTP responses, byte by byte: each has a defined meaning and ends before its deadline.

use std::time::Duration;

use http::Method;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use super::recorded::TestJournal;
use super::wire::{RawServer, head, request};
use crate::probe::{Http, HttpError, Request, Response, client};
use cutover_evidence::stop::Stop;

/// The response timeout in these tests.
const DEADLINE: Duration = Duration::from_millis(400);

/// A probe that takes longer than this hangs.
const HANG_TIMEOUT: Duration = Duration::from_secs(30);

/// No pause between writes.
const NO_PAUSE: Duration = Duration::ZERO;

fn http(recorded: &TestJournal) -> Http {
    Http::new(client().unwrap(), "api", recorded.recorder.clone())
}

async fn send(recorded: &TestJournal, wire: &RawServer) -> Result<Response, HttpError> {
    let request = Request::get(wire.url.clone()).within(DEADLINE);
    let http = http(recorded);
    let response = tokio::time::timeout(HANG_TIMEOUT, http.send(request));
    response.await.expect("the probe hangs")
}

async fn response(wire: &RawServer) -> Response {
    send(&TestJournal::new(), wire).await.unwrap()
}

/// The text of the finding for this server's response, after the exchange was recorded.
async fn finding(wire: &RawServer) -> String {
    let recorded = TestJournal::new();
    let stop = match send(&recorded, wire).await {
        Ok(response) => response.json().unwrap_err(),
        Err(error) => error.into_stop(),
    };
    assert_eq!(recorded.exchange().method, "GET");
    let Stop::Violated(finding) = stop else {
        panic!("expected a finding, not {stop:?}")
    };
    let actual = finding.actual.unwrap_or_default();
    format!("{}: {actual}", finding.summary)
}

#[tokio::test]
async fn a_malformed_response_is_a_finding() {
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{{}}");
    let many = (0..1_000).map(|n| format!("x-{n}: a\r\n"));
    let many = many.collect::<String>();
    let responses = [
        ("nothing", String::new()),
        ("another protocol", "SSH-2.0-OpenSSH_9.6\r\n".to_owned()),
        ("half a protocol name", "HTT".to_owned()),
        ("another version", "HTTP/9.9 200 OK\r\n\r\n".to_owned()),
        ("no status", "HTTP/1.1 fine OK\r\n\r\n".to_owned()),
        (
            "a status of two digits",
            "HTTP/1.1 20 OK\r\n\r\n".to_owned(),
        ),
        ("zeros", "\0".repeat(4_096)),
        ("blank lines", "\r\n".repeat(4_096)),
        ("a header without a name", head(": a")),
        ("a length that is not a number", head("content-length: two")),
        ("a negative length", head("content-length: -2")),
        (
            "two lengths",
            head("content-length: 2\r\ncontent-length: 3"),
        ),
        ("a length greater than the body", head("content-length: 99")),
        (
            "the greatest possible length",
            head("content-length: 18446744073709551615"),
        ),
        ("a thousand headers", head(many.trim_end())),
        (
            "a header of a megabyte",
            head(&format!("x: {}", "a".repeat(1 << 20))),
        ),
        ("a chunk without a size", head("transfer-encoding: chunked")),
        (
            "a chunk size that overflows",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n".to_owned(),
        ),
        (
            "chunks without a last chunk",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n".to_owned(),
        ),
    ];
    for (name, bytes) in responses {
        let finding = finding(&RawServer::responding(bytes).await).await;
        assert!(
            finding.starts_with("the api sent an incomplete response"),
            "{name}: {finding}"
        );
    }
}

#[tokio::test]
async fn an_endless_response_is_a_finding_at_the_deadline() {
    const PAUSE: Duration = Duration::from_millis(50);
    let responses = [
        (
            "nothing after the status line",
            "HTTP/1.1 200 OK\r\n",
            &b""[..],
            PAUSE,
        ),
        ("a status line byte by byte", "HTTP/1.1 200 ", b"O", PAUSE),
        (
            "a header byte by byte",
            "HTTP/1.1 200 OK\r\nx: ",
            b"a",
            PAUSE,
        ),
        (
            "a body byte by byte",
            "HTTP/1.1 200 OK\r\n\r\n",
            b"a",
            PAUSE,
        ),
        (
            "a body of a known length byte by byte",
            "HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n",
            b"a",
            PAUSE,
        ),
        (
            "repeated informational responses",
            "",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            PAUSE,
        ),
    ];
    for (name, beginning, rest, pause) in responses {
        let finding = finding(&RawServer::repeating(beginning, rest, pause).await).await;
        assert!(
            finding.starts_with("the api did not respond within 400ms"),
            "{name}: {finding}"
        );
    }
}

#[tokio::test]
async fn a_response_that_is_too_large_is_aborted() {
    let declared = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 11 << 20);
    let mut whole = declared.into_bytes();
    whole.resize(whole.len() + (11 << 20), b'x');
    let timeout = Duration::from_secs(20);
    let endless = "HTTP/1.1 200 OK\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = b"400\r\n".iter().chain(&[b'x'; 0x400]).chain(b"\r\n");
    let chunk: &'static [u8] = Vec::leak(chunk.copied().collect());
    for wire in [
        RawServer::responding(whole).await,
        RawServer::repeating(endless, &[b'x'; 8_192], NO_PAUSE).await,
        RawServer::repeating(chunked, chunk, NO_PAUSE).await,
    ] {
        let recorded = TestJournal::new();
        let request = Request::get(wire.url.clone()).within(timeout);
        let error = http(&recorded).send(request).await.unwrap_err();
        let finding = error.to_string();
        assert!(finding.contains("more than 10485760 bytes"), "{finding}");
        assert!(recorded.exchange().response_body.unwrap().truncated);
    }
    // Unlimited data before the body.
    for (beginning, rest) in [
        ("HTTP/1.1 200 OK\r\n", &b"x: a\r\n"[..]),
        ("HTTP/1.1 200 OK\r\nx: ", &[b'a'; 4_096][..]),
        ("", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        finding(&RawServer::repeating(beginning, rest, NO_PAUSE).await).await;
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_described_by_its_content_type() {
    let page =
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\n\r\n<html>Sign in</html>";
    let short =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n{\"a\": 1}";
    let deep = format!("HTTP/1.1 200 OK\r\n\r\n{}", "[".repeat(100_000));
    let half = b"HTTP/1.1 200 OK\r\n\r\n{\"a\": \"\xc3\x28\xff\"}".to_vec();
    for (bytes, kind, shown) in [
        (
            page.as_bytes().to_vec(),
            "content type text/html; charset=utf-8",
            "200 <html>Sign in</html>",
        ),
        (
            short.as_bytes().to_vec(),
            "content type application/json",
            "200 {\"a\":",
        ),
        (deep.into_bytes(), "recursion limit", "200 [[["),
        (
            half,
            "no Content-Type header",
            "200 {\"a\": \"\u{fffd}(\u{fffd}\"}",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "invalid JSON",
            "200",
        ),
    ] {
        let finding = finding(&RawServer::responding(bytes).await).await;
        assert!(
            finding.contains(kind) && finding.contains(shown),
            "{finding}"
        );
    }
}

#[tokio::test]
async fn invalid_utf8_is_recorded_with_replacement_characters() {
    let wire = RawServer::responding(
        &b"HTTP/1.1 200 \xc3\x28\r\nx-odd: a\xffb\r\ncontent-length: 2\r\n\r\n\xff\xfe"[..],
    )
    .await;
    let recorded = TestJournal::new();
    let response = send(&recorded, &wire).await.unwrap();
    assert_eq!(response.header("x-odd"), None);
    assert_eq!(response.summary(), "200 \u{fffd}\u{fffd}");
    let exchange = recorded.exchange();
    let odd = ("x-odd".to_owned(), "a\u{fffd}b".to_owned());
    assert!(exchange.response_headers.contains(&odd));
    assert!(exchange.response_body.unwrap().text.starts_with("<binary"));
}

#[tokio::test]
async fn long_headers_are_shortened_in_the_evidence() {
    let bytes = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "é".repeat(50_000));
    let recorded = TestJournal::new();
    send(&recorded, &RawServer::responding(bytes).await)
        .await
        .unwrap();
    let headers = recorded.exchange().response_headers;
    let [(_, value)] = headers.as_slice() else {
        panic!("expected one header, not {}", headers.len())
    };
    assert!(value.ends_with("é… (100000 bytes)"), "{}", value.len());
    assert!(value.len() < 5_000, "{}", value.len());
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let bytes = format!("HTTP/1.1 {status} Go\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n");
        let wire = RawServer::responding(bytes).await;
        assert_eq!(response(&wire).await.status, status);
        assert_eq!(wire.connections(), 1);
    }
}

#[tokio::test]
async fn an_https_surface_without_tls_means_could_not_tell() {
    let mut wire = RawServer::new(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    wire.url.set_scheme("https").unwrap();
    let error = send(&TestJournal::new(), &wire).await.unwrap_err();
    assert!(matches!(error.into_stop(), Stop::Error(_)));
}

/// The number of consecutive requests, enough to expose a race.
const ROUNDS: usize = 200;

/// An error response without a `Connection` header.
const ERROR: &str = "HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_connection_closed_after_an_error_response_does_not_affect_the_next_request() {
    let recorded = TestJournal::new();
    for end in ["", "connection: close\r\n"] {
        let bytes = ERROR.replace("content-length", &format!("{end}content-length"));
        let (wire, http) = (RawServer::responding(bytes).await, http(&recorded));
        for _ in 0..ROUNDS {
            let response = http.send(Request::get(wire.url.clone())).await.unwrap();
            assert_eq!(response.status, 409);
        }
    }
}

#[tokio::test]
async fn an_idle_connection_that_the_server_closes_does_not_affect_the_next_request() {
    // The server closes an idle connection when the next request arrives on it.
    let wire = RawServer::new(|mut stream, _| async move {
        request(&mut stream).await;
        let _ = stream.write_all(ERROR.as_bytes()).await;
        request(&mut stream).await;
    })
    .await;
    let http = http(&TestJournal::new());
    for _ in 0..ROUNDS {
        let response = http.send(Request::get(wire.url.clone())).await.unwrap();
        assert_eq!(response.status, 409);
    }
}

#[tokio::test]
async fn an_error_response_before_the_body_was_read_is_a_response() {
    let wire = RawServer::new(|mut stream, _| async move {
        head(&mut stream).await;
        let _ = stream.write_all(ERROR.as_bytes()).await;
    })
    .await;
    let http = http(&TestJournal::new());
    for size in [1 << 10, 1 << 20] {
        for _ in 0..10 {
            let request = Request::put(wire.url.clone()).body("application/pdf", vec![b'x'; size]);
            assert_eq!(http.send(request).await.unwrap().status, 409);
        }
    }
}

#[tokio::test]
async fn bytes_after_a_response_are_not_the_next_response() {
    let wire = RawServer::responding(format!(
        "{ERROR}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull"
    ))
    .await;
    let http = http(&TestJournal::new());
    for _ in 0..ROUNDS {
        let response = http.send(Request::get(wire.url.clone())).await.unwrap();
        assert_eq!(response.status, 409);
    }
}

#[tokio::test]
async fn a_request_is_never_repeated() {
    let wire = RawServer::new(|mut stream, _| async move {
        request(&mut stream).await;
    })
    .await;
    let http = http(&TestJournal::new());
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
        let before = wire.connections();
        let truncated = http.send(Request::new(method, wire.url.clone())).await;
        let stop = truncated.unwrap_err().into_stop();
        assert!(matches!(stop, Stop::Violated(_)), "{stop:?}");
        assert_eq!(wire.connections(), before + 1);
    }
}

#[test]
fn the_summary_of_a_long_response_contains_no_secrets() {
    let response = Response {
        surface: "api".to_owned(),
        request: "GET /".to_owned(),
        correlation_id: String::new(),
        status: 200,
        headers: http::HeaderMap::new(),
        body: format!("https://s/o?token={}", "s3cret".repeat(1 << 20)).into_bytes(),
        elapsed: Duration::ZERO,
    };
    assert_eq!(response.summary(), "200 https://s/o?token=[masked]");
    assert!(matches!(response.json(), Err(Stop::Violated(_))));
    let field: Result<Value, _> = response.field("/a");
    assert!(field.is_err());
}
