//! What a hostile server says, byte by byte: each answer means one thing, within its deadline.

use std::time::Duration;

use http::Method;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use super::recorded::Recorded;
use super::wire::{Wire, head, request};
use crate::probe::{Http, HttpError, Request, Response, client};
use cutover_evidence::stop::Stop;

/// How long an answer may take here.
const DEADLINE: Duration = Duration::from_millis(400);

/// However slow the machine, no probe takes as long: it would hang.
const HANGS: Duration = Duration::from_secs(30);

/// No pause.
const AT_ONCE: Duration = Duration::ZERO;

fn http(recorded: &Recorded) -> Http {
    Http::new(client().unwrap(), "api", recorded.recorder.clone())
}

async fn ask(recorded: &Recorded, wire: &Wire) -> Result<Response, HttpError> {
    let request = Request::get(wire.url.clone()).within(DEADLINE);
    let http = http(recorded);
    let answer = tokio::time::timeout(HANGS, http.send(request));
    answer.await.expect("the probe hangs")
}

async fn answer(wire: &Wire) -> Response {
    ask(&Recorded::new(), wire).await.unwrap()
}

/// What the finding says that this server's answer becomes, once it has been recorded.
async fn finding(wire: &Wire) -> String {
    let recorded = Recorded::new();
    let stop = match ask(&recorded, wire).await {
        Ok(reply) => reply.json().unwrap_err(),
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
async fn what_is_no_answer_is_a_finding() {
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{{}}");
    let many = (0..1_000).map(|n| format!("x-{n}: a\r\n"));
    let many = many.collect::<String>();
    let answers = [
        ("nothing", String::new()),
        ("another protocol", "SSH-2.0-OpenSSH_9.6\r\n".to_owned()),
        ("half a greeting", "HTT".to_owned()),
        ("another version", "HTTP/9.9 200 OK\r\n\r\n".to_owned()),
        ("no status", "HTTP/1.1 fine OK\r\n\r\n".to_owned()),
        (
            "a status of two digits",
            "HTTP/1.1 20 OK\r\n\r\n".to_owned(),
        ),
        ("zeros", "\0".repeat(4_096)),
        ("blank lines", "\r\n".repeat(4_096)),
        ("a field without a name", head(": a")),
        ("a length that is none", head("content-length: two")),
        ("a length below nothing", head("content-length: -2")),
        (
            "two lengths",
            head("content-length: 2\r\ncontent-length: 3"),
        ),
        ("more than was said", head("content-length: 99")),
        (
            "an endless length",
            head("content-length: 18446744073709551615"),
        ),
        ("a thousand fields", head(many.trim_end())),
        (
            "a field of a megabyte",
            head(&format!("x: {}", "a".repeat(1 << 20))),
        ),
        ("a chunk without a size", head("transfer-encoding: chunked")),
        (
            "a chunk of every size",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n".to_owned(),
        ),
        (
            "chunks without an end",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n".to_owned(),
        ),
    ];
    for (name, said) in answers {
        let told = finding(&Wire::saying(said).await).await;
        assert!(
            told.starts_with("the api broke off its answer"),
            "{name}: {told}"
        );
    }
}

#[tokio::test]
async fn what_never_ends_is_a_finding_at_the_deadline() {
    const SLOWLY: Duration = Duration::from_millis(50);
    let answers = [
        (
            "a silence after the first line",
            "HTTP/1.1 200 OK\r\n",
            &b""[..],
            SLOWLY,
        ),
        ("a status letter by letter", "HTTP/1.1 200 ", b"O", SLOWLY),
        (
            "a field letter by letter",
            "HTTP/1.1 200 OK\r\nx: ",
            b"a",
            SLOWLY,
        ),
        (
            "a body letter by letter",
            "HTTP/1.1 200 OK\r\n\r\n",
            b"a",
            SLOWLY,
        ),
        (
            "a body of a known length letter by letter",
            "HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n",
            b"a",
            SLOWLY,
        ),
        (
            "one promise after the other",
            "",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            SLOWLY,
        ),
    ];
    for (name, beginning, rest, pause) in answers {
        let told = finding(&Wire::going_on(beginning, rest, pause).await).await;
        assert!(
            told.starts_with("the api did not answer within 400ms"),
            "{name}: {told}"
        );
    }
}

#[tokio::test]
async fn what_is_too_much_is_cut_off() {
    let declared = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 11 << 20);
    let mut whole = declared.into_bytes();
    whole.resize(whole.len() + (11 << 20), b'x');
    let patient = Duration::from_secs(20);
    let endless = "HTTP/1.1 200 OK\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = b"400\r\n".iter().chain(&[b'x'; 0x400]).chain(b"\r\n");
    let chunk: &'static [u8] = Vec::leak(chunk.copied().collect());
    for wire in [
        Wire::saying(whole).await,
        Wire::going_on(endless, &[b'x'; 8_192], AT_ONCE).await,
        Wire::going_on(chunked, chunk, AT_ONCE).await,
    ] {
        let recorded = Recorded::new();
        let request = Request::get(wire.url.clone()).within(patient);
        let error = http(&recorded).send(request).await.unwrap_err();
        let told = error.to_string();
        assert!(told.contains("more than 10485760 bytes"), "{told}");
        assert!(recorded.exchange().response_body.unwrap().truncated);
    }
    // As for what comes before a body.
    for (beginning, rest) in [
        ("HTTP/1.1 200 OK\r\n", &b"x: a\r\n"[..]),
        ("HTTP/1.1 200 OK\r\nx: ", &[b'a'; 4_096][..]),
        ("", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        finding(&Wire::going_on(beginning, rest, AT_ONCE).await).await;
    }
}

#[tokio::test]
async fn what_is_not_what_was_promised_is_told_as_what_it_is() {
    let page =
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\n\r\n<html>Sign in</html>";
    let short =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n{\"a\": 1}";
    let deep = format!("HTTP/1.1 200 OK\r\n\r\n{}", "[".repeat(100_000));
    let half = b"HTTP/1.1 200 OK\r\n\r\n{\"a\": \"\xc3\x28\xff\"}".to_vec();
    for (said, kind, shown) in [
        (
            page.as_bytes().to_vec(),
            "but text/html; charset=utf-8",
            "200 <html>Sign in</html>",
        ),
        (
            short.as_bytes().to_vec(),
            "although it is called application/json",
            "200 {\"a\":",
        ),
        (deep.into_bytes(), "recursion limit", "200 [[["),
        (
            half,
            "and is not called anything",
            "200 {\"a\": \"\u{fffd}(\u{fffd}\"}",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "not JSON",
            "200",
        ),
    ] {
        let told = finding(&Wire::saying(said).await).await;
        assert!(told.contains(kind) && told.contains(shown), "{told}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_kept_as_far_as_they_can_be_read() {
    let wire = Wire::saying(
        &b"HTTP/1.1 200 \xc3\x28\r\nx-odd: a\xffb\r\ncontent-length: 2\r\n\r\n\xff\xfe"[..],
    )
    .await;
    let recorded = Recorded::new();
    let reply = ask(&recorded, &wire).await.unwrap();
    assert_eq!(reply.header("x-odd"), None);
    assert_eq!(reply.summary(), "200 \u{fffd}\u{fffd}");
    let exchange = recorded.exchange();
    let odd = ("x-odd".to_owned(), "a\u{fffd}b".to_owned());
    assert!(exchange.response_headers.contains(&odd));
    assert!(exchange.response_body.unwrap().text.starts_with("<binary"));
}

#[tokio::test]
async fn long_fields_are_cut_in_the_evidence() {
    let said = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "é".repeat(50_000));
    let recorded = Recorded::new();
    ask(&recorded, &Wire::saying(said).await).await.unwrap();
    let headers = recorded.exchange().response_headers;
    let [(_, value)] = headers.as_slice() else {
        panic!("expected one field, not {}", headers.len())
    };
    assert!(value.ends_with("é… (100000 bytes)"), "{}", value.len());
    assert!(value.len() < 5_000, "{}", value.len());
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let said = format!("HTTP/1.1 {status} Go\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n");
        let wire = Wire::saying(said).await;
        assert_eq!(answer(&wire).await.status, status);
        assert_eq!(wire.connections(), 1);
    }
}

#[tokio::test]
async fn a_server_without_tls_where_there_should_be_some_leaves_the_question_open() {
    let mut wire = Wire::new(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    wire.url.set_scheme("https").unwrap();
    let error = ask(&Recorded::new(), &wire).await.unwrap_err();
    assert!(matches!(error.into_stop(), Stop::Error(_)));
}

/// How often two requests follow each other closely: what races must show.
const ROUNDS: usize = 200;

/// An error, with nothing said about the connection.
const ERROR: &str = "HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_connection_that_ends_after_an_error_costs_nothing() {
    let recorded = Recorded::new();
    for end in ["", "connection: close\r\n"] {
        let said = ERROR.replace("content-length", &format!("{end}content-length"));
        let (wire, http) = (Wire::saying(said).await, http(&recorded));
        for _ in 0..ROUNDS {
            let reply = http.send(Request::get(wire.url.clone())).await.unwrap();
            assert_eq!(reply.status, 409);
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_while_nobody_uses_it_costs_nothing() {
    // What a server does whose deadline with idle connections is over when the next request comes.
    let wire = Wire::new(|mut stream, _| async move {
        request(&mut stream).await;
        let _ = stream.write_all(ERROR.as_bytes()).await;
        request(&mut stream).await;
    })
    .await;
    let http = http(&Recorded::new());
    for _ in 0..ROUNDS {
        let reply = http.send(Request::get(wire.url.clone())).await.unwrap();
        assert_eq!(reply.status, 409);
    }
}

#[tokio::test]
async fn a_refusal_before_the_body_was_read_is_an_answer() {
    let wire = Wire::new(|mut stream, _| async move {
        head(&mut stream).await;
        let _ = stream.write_all(ERROR.as_bytes()).await;
    })
    .await;
    let http = http(&Recorded::new());
    for size in [1 << 10, 1 << 20] {
        for _ in 0..10 {
            let request = Request::put(wire.url.clone()).body("application/pdf", vec![b'x'; size]);
            assert_eq!(http.send(request).await.unwrap().status, 409);
        }
    }
}

#[tokio::test]
async fn what_comes_after_an_answer_is_not_the_next_one() {
    let wire = Wire::saying(format!(
        "{ERROR}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull"
    ))
    .await;
    let http = http(&Recorded::new());
    for _ in 0..ROUNDS {
        let reply = http.send(Request::get(wire.url.clone())).await.unwrap();
        assert_eq!(reply.status, 409);
    }
}

#[tokio::test]
async fn what_was_sent_is_not_sent_again() {
    let wire = Wire::new(|mut stream, _| async move {
        request(&mut stream).await;
    })
    .await;
    let http = http(&Recorded::new());
    for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
        let asked = wire.connections();
        let cut = http.send(Request::new(method, wire.url.clone())).await;
        let stop = cut.unwrap_err().into_stop();
        assert!(matches!(stop, Stop::Violated(_)), "{stop:?}");
        assert_eq!(wire.connections(), asked + 1);
    }
}

#[test]
fn a_long_answer_is_told_by_its_beginning_without_its_secrets() {
    let reply = Response {
        surface: "api".to_owned(),
        request: "GET /".to_owned(),
        correlation_id: String::new(),
        status: 200,
        headers: http::HeaderMap::new(),
        body: format!("https://s/o?token={}", "s3cret".repeat(1 << 20)).into_bytes(),
        elapsed: Duration::ZERO,
    };
    assert_eq!(reply.summary(), "200 https://s/o?token=[masked]");
    assert!(matches!(reply.json(), Err(Stop::Violated(_))));
    let none: Result<Value, _> = reply.field("/a");
    assert!(none.is_err());
}
