//! Oddities: requests that nobody would mean to send are refused, or answered, and break nothing.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Endpoint, Presence};
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Request};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_malformed_request_breaks_nothing, ODDITIES)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
    ]
}

/// An odd request.
pub(super) struct Oddity {
    name: &'static str,
    make: fn(&Asked) -> Request,
}

impl Named for Oddity {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn oddity(name: &'static str, make: fn(&Asked) -> Request) -> Oddity {
    Oddity { name, make }
}

/// A request that is in order, and the body that it would have.
struct Asked {
    request: Request,
    body: Option<String>,
}

impl Asked {
    fn method(&self, method: &str) -> Request {
        Request::new(
            method.parse().unwrap_or_default(),
            self.request.url().clone(),
        )
    }

    fn path(&self, change: impl FnOnce(&str) -> String) -> Request {
        let mut url = self.request.url().clone();
        url.set_path(&change(self.request.url().path()));
        self.request.clone().to(url)
    }

    /// With another body, where there is one: who wants none may answer before it is sent, and hang up.
    fn body(&self, kind: &str, body: impl Into<Vec<u8>>) -> Request {
        let request = self.request.clone();
        if self.body.is_none() {
            return request;
        }
        request.body(kind, body)
    }

    /// The body that is in order, as a client of this kind would send it.
    fn sound(&self) -> String {
        self.body.clone().unwrap_or_default()
    }
}

const JSON: &str = "application/json";

/// What `{}` is when it is compressed.
const COMPRESSED: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0,
];

/// How deep a body is nested that nobody means: deeper than a parser that calls itself may go.
const DEPTH: usize = 10_000;

/// As long as servers still take it, and longer than any client's own.
const LONG: usize = 4_000;

/// Odd requests, each made of one that is in order.
const ODDITIES: &[Oddity] = &[
    oddity("head_method", |asked| asked.method("HEAD")),
    oddity("options_method", |asked| asked.method("OPTIONS")),
    oddity("unknown_method", |asked| asked.method("BREW")),
    oddity("trailing_slash", |asked| {
        asked.path(|path| format!("{path}/"))
    }),
    oddity("double_slash", |asked| {
        asked.path(|path| format!("/{path}"))
    }),
    oddity("long_path", |asked| {
        asked.path(|path| format!("{path}/{}", "x".repeat(LONG)))
    }),
    oddity("nul_in_the_path", |asked| {
        asked.path(|path| format!("{path}%00"))
    }),
    oddity("invalid_utf8_in_the_path", |asked| {
        asked.path(|path| format!("{path}%ff%fe"))
    }),
    oddity("long_query", |asked| {
        asked.request.clone().query([("x", "y".repeat(LONG))])
    }),
    oddity("invalid_utf8_in_the_query", |asked| {
        let mut url = asked.request.url().clone();
        url.set_query(Some("state=%ff%00&limit=%zz&limit=&&=&limit"));
        asked.request.clone().to(url)
    }),
    oddity("long_header", |asked| {
        asked.request.clone().header("x-note", "y".repeat(LONG))
    }),
    oddity("invalid_utf8_in_a_header", |asked| {
        asked.request.clone().header("x-note", [0xff, 0xfe, 0x80])
    }),
    oddity("deeply_nested_lists", |asked| {
        asked.body(JSON, format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)))
    }),
    oddity("deeply_nested_objects", |asked| {
        let body = format!(
            "{}1{}",
            r#"{"filename":"#.repeat(DEPTH / 4),
            "}".repeat(DEPTH / 4)
        );
        asked.body(JSON, body)
    }),
    oddity("deeply_nested_field", |asked| {
        let (open, close) = ("[".repeat(DEPTH), "]".repeat(DEPTH));
        asked.body(
            JSON,
            format!(r#"{{"query": {open}{close}, "k": {open}{close}}}"#),
        )
    }),
    oddity("invalid_utf8_in_the_body", |asked| {
        asked.body(JSON, b"{\"query\": \"\xff\xfe\", \"filename\": \"\xc3(\"}")
    }),
    oddity("unpaired_surrogates", |asked| {
        asked.body(JSON, br#"{"query": "\ud800", "filename": "\udfff"}"#)
    }),
    oddity("duplicate_fields", |asked| {
        let body = asked.sound();
        let fields = body.trim_start_matches('{').trim_end_matches('}');
        asked.body(JSON, format!("{{{fields},{fields}}}"))
    }),
    oddity("infinite_number", |asked| {
        asked.body(
            JSON,
            r#"{"query": "policy", "k": 1e400, "bytes_len": 1e400}"#,
        )
    }),
    oddity("plain_text", |asked| {
        asked.body("text/plain", asked.sound())
    }),
    oddity("form_encoded", |asked| {
        asked.body(
            "application/x-www-form-urlencoded",
            "query=policy&k=3&filename=a",
        )
    }),
    oddity("multipart", |asked| {
        let body = "--x\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n%PDF\r\n--x--\r\n";
        asked.body("multipart/form-data; boundary=x", body)
    }),
    oddity("no_content_type", |asked| asked.body("", asked.sound())),
    oddity("gzip_body", |asked| {
        let request = asked.body(JSON, COMPRESSED);
        request.header("content-encoding", "gzip")
    }),
    oddity("false_content_encoding", |asked| {
        let request = asked.body(JSON, asked.sound());
        request.header("content-encoding", "gzip")
    }),
];

/// However odd a request is, its sender is at fault and not the service, which goes on as before.
async fn a_malformed_request_breaks_nothing(cx: &Context, case: &Oddity) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let nothing = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
    let requests = &cx.contract().requests;
    let registration = requests.upload.body(cx.document().build().upload());
    let search = requests.search.body("policy", 3);
    for (endpoint, body) in [
        (Endpoint::Upload, Some(registration)),
        (Endpoint::Search, Some(search)),
        (Endpoint::Jobs, None),
        (Endpoint::Job, None),
        (Endpoint::Document, None),
        (Endpoint::Health, None),
    ] {
        let route = cx.contract().route(endpoint);
        if !route.is_some_and(|route| route.presence == Presence::Required) {
            continue;
        }
        let request = pipeline.request(endpoint, nothing)?;
        let body = body.map(|body| body.to_string());
        let request = (case.make)(&Asked { request, body });
        let reply = pipeline.http().send(request).await;
        let reply = reply.map_err(HttpError::into_stop)?;
        // A method that nobody has heard of may be said to be such.
        ensure!(
            reply.status < 500 || reply.status == 501,
            "an odd request breaks something: {} is answered with {}",
            reply.request,
            reply.summary()
        );
    }
    pipeline.health().await?.expect_status(200)?;
    Ok(())
}
