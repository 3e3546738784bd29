//! Malformed requests: each is refused or answered, and none causes a server error.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Endpoint, Presence};
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Request};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_malformed_request_breaks_nothing, MALFORMED)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A malformed request.
pub(super) struct Malformed {
    name: &'static str,
    make: fn(&Valid) -> Request,
}

impl Named for Malformed {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn malformed(name: &'static str, make: fn(&Valid) -> Request) -> Malformed {
    Malformed { name, make }
}

/// A valid request with its body, if it has one.
struct Valid {
    request: Request,
    body: Option<String>,
}

impl Valid {
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

    /// The request with another body, if it has one. A route without a body may answer and close the connection early.
    fn body(&self, kind: &str, body: impl Into<Vec<u8>>) -> Request {
        let request = self.request.clone();
        if self.body.is_none() {
            return request;
        }
        request.body(kind, body)
    }

    /// The valid body.
    fn valid_body(&self) -> String {
        self.body.clone().unwrap_or_default()
    }
}

const JSON: &str = "application/json";

/// `{}` in gzip format.
const COMPRESSED: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0,
];

/// The nesting depth of a body, which overflows the stack of a recursive parser.
const DEPTH: usize = 10_000;

/// A length that servers still accept, but clients do not normally use.
const LONG: usize = 4_000;

/// Malformed requests, each derived from a valid one.
const MALFORMED: &[Malformed] = &[
    malformed("head_method", |valid| valid.method("HEAD")),
    malformed("options_method", |valid| valid.method("OPTIONS")),
    malformed("unknown_method", |valid| valid.method("BREW")),
    malformed("trailing_slash", |valid| {
        valid.path(|path| format!("{path}/"))
    }),
    malformed("double_slash", |valid| {
        valid.path(|path| format!("/{path}"))
    }),
    malformed("long_path", |valid| {
        valid.path(|path| format!("{path}/{}", "x".repeat(LONG)))
    }),
    malformed("nul_in_the_path", |valid| {
        valid.path(|path| format!("{path}%00"))
    }),
    malformed("invalid_utf8_in_the_path", |valid| {
        valid.path(|path| format!("{path}%ff%fe"))
    }),
    malformed("long_query", |valid| {
        valid.request.clone().query([("x", "y".repeat(LONG))])
    }),
    malformed("invalid_utf8_in_the_query", |valid| {
        let mut url = valid.request.url().clone();
        url.set_query(Some("state=%ff%00&limit=%zz&limit=&&=&limit"));
        valid.request.clone().to(url)
    }),
    malformed("long_header", |valid| {
        valid.request.clone().header("x-note", "y".repeat(LONG))
    }),
    malformed("invalid_utf8_in_a_header", |valid| {
        valid.request.clone().header("x-note", [0xff, 0xfe, 0x80])
    }),
    malformed("deeply_nested_lists", |valid| {
        valid.body(JSON, format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)))
    }),
    malformed("deeply_nested_objects", |valid| {
        let body = format!(
            "{}1{}",
            r#"{"filename":"#.repeat(DEPTH / 4),
            "}".repeat(DEPTH / 4)
        );
        valid.body(JSON, body)
    }),
    malformed("deeply_nested_field", |valid| {
        let (open, close) = ("[".repeat(DEPTH), "]".repeat(DEPTH));
        valid.body(
            JSON,
            format!(r#"{{"query": {open}{close}, "k": {open}{close}}}"#),
        )
    }),
    malformed("invalid_utf8_in_the_body", |valid| {
        valid.body(JSON, b"{\"query\": \"\xff\xfe\", \"filename\": \"\xc3(\"}")
    }),
    malformed("unpaired_surrogates", |valid| {
        valid.body(JSON, br#"{"query": "\ud800", "filename": "\udfff"}"#)
    }),
    malformed("duplicate_fields", |valid| {
        let body = valid.valid_body();
        let fields = body.trim_start_matches('{').trim_end_matches('}');
        valid.body(JSON, format!("{{{fields},{fields}}}"))
    }),
    malformed("infinite_number", |valid| {
        valid.body(
            JSON,
            r#"{"query": "policy", "k": 1e400, "bytes_len": 1e400}"#,
        )
    }),
    malformed("plain_text", |valid| {
        valid.body("text/plain", valid.valid_body())
    }),
    malformed("form_encoded", |valid| {
        valid.body(
            "application/x-www-form-urlencoded",
            "query=policy&k=3&filename=a",
        )
    }),
    malformed("multipart", |valid| {
        let body = "--x\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n%PDF\r\n--x--\r\n";
        valid.body("multipart/form-data; boundary=x", body)
    }),
    malformed("no_content_type", |valid| {
        valid.body("", valid.valid_body())
    }),
    malformed("gzip_body", |valid| {
        let request = valid.body(JSON, COMPRESSED);
        request.header("content-encoding", "gzip")
    }),
    malformed("false_content_encoding", |valid| {
        let request = valid.body(JSON, valid.valid_body());
        request.header("content-encoding", "gzip")
    }),
];

/// A malformed request causes no server error, and the service keeps running.
async fn a_malformed_request_breaks_nothing(cx: &Context, case: &Malformed) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let unknown = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
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
        let request = pipeline.request(endpoint, unknown)?;
        let body = body.map(|body| body.to_string());
        let request = (case.make)(&Valid { request, body });
        let reply = pipeline.http().send(request).await;
        let reply = reply.map_err(HttpError::into_stop)?;
        // An unknown method may be answered with 501.
        ensure!(
            reply.status < 500 || reply.status == 501,
            "a malformed request causes a server error: {} is answered with {}",
            reply.request,
            reply.summary()
        );
    }
    if cx.contract().has(Endpoint::Health) {
        pipeline.health().await?.expect_status(200)?;
    }
    Ok(())
}
