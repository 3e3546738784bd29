//! What toxics do to connections.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Api, exchange};

#[tokio::test]
async fn each_toxic_does_what_it_is_documented_to_do() {
    let cases = [
        (
            r#""latency", "attributes": {"latency": 120}"#,
            Some(100),
            119,
        ),
        (r#""bandwidth", "attributes": {"rate": 1}"#, Some(100), 95),
        (
            r#""slicer", "attributes": {"average_size": 10, "delay": 10000}"#,
            Some(100),
            90,
        ),
        (r#""limit_data", "attributes": {"bytes": 42}"#, Some(42), 0),
        (r#""timeout", "attributes": {"timeout": 120}"#, Some(0), 119),
        (r#""reset_peer", "attributes": {}"#, None, 0),
    ];
    for (toxic, received, milliseconds) in cases {
        for stream in ["upstream", "downstream"] {
            let api = Api::start().await;
            let address = api.create("a").await;
            let body = format!(r#"{{"stream": "{stream}", "type": {toxic}}}"#);
            let (status, created) = api.send("POST", "/proxies/a/toxics", &body).await;
            assert_eq!(status, 200, "{created}");
            let start = Instant::now();
            let got = exchange(address, 100).await.ok();
            // A limit upstream ends the connection before the echo of the bytes has come back.
            let limited = stream == "upstream" && toxic.contains("limit_data");
            let cut_short = limited && got < received;
            assert!(got == received || cut_short, "{stream} {toxic}: {got:?}");
            let elapsed = start.elapsed();
            assert!(
                elapsed >= Duration::from_millis(milliseconds),
                "{toxic}: {elapsed:?}"
            );
            let name = created["name"].as_str().unwrap();
            let path = format!("/proxies/a/toxics/{name}");
            assert_eq!(api.send("DELETE", &path, "").await.0, 204);
            assert_eq!(exchange(address, 100).await.unwrap(), 100);
        }
    }
}

#[tokio::test]
async fn a_toxicity_of_zero_never_acts() {
    let api = Api::start().await;
    let address = api.create("a").await;
    let body = r#"{"type": "reset_peer", "toxicity": 0}"#;
    let (_, toxic) = api.send("POST", "/proxies/a/toxics", body).await;
    assert_eq!(toxic["toxicity"], json!(0.0));
    for _ in 0..50 {
        assert_eq!(exchange(address, 10).await.unwrap(), 10);
    }
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let api = Api::start().await;
    let address = api.create("a").await;
    let body = r#"{"type": "latency", "attributes": {"latency": 3600000, "jitter": 1}}"#;
    api.send("POST", "/proxies/a/toxics", body).await;
    let path = "/proxies/a/toxics/latency_downstream";
    for (method, latency) in [("POST", 50), ("PATCH", 0)] {
        let update = format!(r#"{{"attributes": {{"latency": {latency}}}}}"#);
        let expected = json!({
            "name": "latency_downstream", "type": "latency", "stream": "downstream",
            "toxicity": 1.0, "attributes": { "latency": latency, "jitter": 1 },
        });
        assert_eq!(
            api.send(method, path, &update).await,
            (200, expected.clone())
        );
        assert_eq!(api.send("GET", path, "").await, (200, expected));
        assert_eq!(exchange(address, 10).await.unwrap(), 10);
    }
}

#[tokio::test]
async fn slow_close_delays_the_end() {
    let api = Api::start().await;
    let address = api.create("a").await;
    let body = r#"{"type": "slow_close", "stream": "upstream", "attributes": {"delay": 150}}"#;
    api.send("POST", "/proxies/a/toxics", body).await;
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let start = Instant::now();
    tokio::io::AsyncWriteExt::shutdown(&mut stream)
        .await
        .unwrap();
    let mut rest = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest)
        .await
        .unwrap();
    assert!(start.elapsed() >= Duration::from_millis(149));
}
