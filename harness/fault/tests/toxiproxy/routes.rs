//! Routes, JSON and statuses.

use serde_json::json;

use crate::support::{Api, exchange};

#[tokio::test]
async fn a_proxy_is_created_shown_listed_and_deleted() {
    let api = Api::start().await;
    let address = api.create("a").await;
    let proxy = json!({
        "name": "a", "listen": address.to_string(), "upstream": api.echo.to_string(),
        "enabled": true, "toxics": [],
    });
    assert_eq!(
        api.send("GET", "/proxies/a", "").await,
        (200, proxy.clone())
    );
    assert_eq!(
        api.send("GET", "/proxies", "").await,
        (200, json!({ "a": proxy }))
    );
    assert_eq!(exchange(address, 9).await.unwrap(), 9);
    assert_eq!(api.send("DELETE", "/proxies/a", "").await.0, 204);
    assert!(exchange(address, 9).await.is_err());
    let gone = json!({ "error": "proxy not found", "status": 404 });
    assert_eq!(api.send("GET", "/proxies/a", "").await, (404, gone));
}

const TOXICS: &str = "/proxies/a/toxics";
const LATENCY: &str = r#"{"type": "latency"}"#;

/// A method, a path and a body, and the status and the beginning of the error.
type Error = (&'static str, &'static str, &'static str, u16, &'static str);

#[rustfmt::skip]
const ERRORS: [Error; 15] = [
    ("POST", "/proxies", "{", 400, "bad request body: "),
    ("POST", "/proxies", "{}", 400, "missing required field: name"),
    ("POST", "/proxies", r#"{"name": "b"}"#, 400, "missing required field: upstream"),
    ("POST", "/proxies", r#"{"name": "a", "upstream": "b:1"}"#, 409, "proxy already exists"),
    ("POST", "/proxies/none", "{}", 404, "proxy not found"),
    ("DELETE", "/proxies/none", "", 404, "proxy not found"),
    ("GET", "/proxies/none/toxics", "", 404, "proxy not found"),
    ("POST", TOXICS, LATENCY, 409, "toxic already exists"),
    ("POST", TOXICS, r#"{"type": "none"}"#, 400, "invalid toxic type"),
    ("POST", TOXICS, r#"{"type": "latency", "stream": "x"}"#, 400, "stream was invalid"),
    ("POST", TOXICS, r#"{"type": "timeout", "toxicity": 2}"#, 400, "bad request body: "),
    ("GET", "/proxies/a/toxics/none", "", 404, "toxic not found"),
    ("PATCH", "/proxies/a/toxics/none", "{}", 404, "toxic not found"),
    ("DELETE", "/proxies/a/toxics/none", "", 404, "toxic not found"),
    ("GET", "/none", "", 404, "no such route"),
];

#[tokio::test]
async fn errors_have_the_status_and_text_of_toxiproxy() {
    let api = Api::start().await;
    api.create("a").await;
    assert_eq!(api.send("POST", TOXICS, LATENCY).await.0, 200);
    for (method, path, body, status, text) in ERRORS {
        let (got, error) = api.send(method, path, body).await;
        assert_eq!(
            (got, &error["status"]),
            (status, &json!(status)),
            "{method} {path} {body}"
        );
        let message = error["error"].as_str().unwrap();
        assert!(
            message.starts_with(text),
            "{method} {path} {body}: {message}"
        );
    }
}

#[tokio::test]
async fn a_disabled_proxy_refuses_and_keeps_its_address_and_toxics() {
    let api = Api::start().await;
    let address = api.create("a").await;
    let limit = r#"{"type": "limit_data", "attributes": {"bytes": 4}}"#;
    assert_eq!(api.send("POST", "/proxies/a/toxics", limit).await.0, 200);
    for method in ["POST", "PATCH"] {
        let (status, proxy) = api
            .send(method, "/proxies/a", r#"{"enabled": false}"#)
            .await;
        assert_eq!((status, &proxy["enabled"]), (200, &json!(false)));
        assert!(exchange(address, 9).await.is_err());
        let (_, proxy) = api.send(method, "/proxies/a", r#"{"enabled": true}"#).await;
        assert_eq!(proxy["listen"], json!(address.to_string()));
        assert_eq!(exchange(address, 9).await.unwrap(), 4);
    }
}

#[tokio::test]
async fn populate_leaves_what_is_the_same_and_replaces_what_is_not() {
    let api = Api::start().await;
    let address = api.create("a").await;
    let upstream = api.echo.to_string();
    let same = json!({ "name": "a", "upstream": upstream, "listen": address.to_string() });
    let new = json!({ "name": "b", "upstream": upstream });
    let body = json!([same, new]).to_string();
    for _ in 0..2 {
        let (status, answer) = api.send("POST", "/populate", &body).await;
        assert_eq!(status, 201);
        assert_eq!(answer["proxies"][0]["listen"], json!(address.to_string()));
        assert_eq!(answer["proxies"][1]["name"], json!("b"));
    }
    let other = json!([{ "name": "a", "upstream": "127.0.0.1:1", "listen": "127.0.0.1:0" }]);
    let (_, answer) = api.send("POST", "/populate", &other.to_string()).await;
    assert_eq!(answer["proxies"][0]["upstream"], json!("127.0.0.1:1"));
    let (_, proxies) = api.send("GET", "/proxies", "").await;
    assert_eq!(proxies.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn reset_needs_no_content_length() {
    let api = Api::start().await;
    let address = api.create("a").await;
    let limit = r#"{"type": "limit_data", "attributes": {"bytes": 4}}"#;
    api.send("POST", "/proxies/a/toxics", limit).await;
    api.send("POST", "/proxies/a", r#"{"enabled": false}"#)
        .await;
    let request = "POST /reset HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    assert_eq!(api.send_raw(request).await.0, 204);
    assert_eq!(exchange(address, 9).await.unwrap(), 9);
    assert_eq!(
        api.send("GET", "/proxies/a/toxics", "").await,
        (200, json!([]))
    );
}

#[tokio::test]
async fn the_version_is_that_of_the_api() {
    let api = Api::start().await;
    let (status, answer) = api.send("GET", "/version", "").await;
    assert_eq!(status, 200);
    assert!(answer["version"].as_str().unwrap().starts_with("2."));
}
