//! First requests: they are answered by a status; later ones and other protocols pass.

use cutover_fault::Proxy;
use cutover_fault::faults::FirstRequests;
use tokio::io::AsyncReadExt as _;

use crate::support::{Client, LONG, proxy, within};

const POST: &[u8] = b"POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n0123456789";

fn fault() -> FirstRequests {
    FirstRequests {
        requests: 2,
        status: 503,
        retry_after_s: Some(7),
    }
}

/// What comes back for a request that is sent in two parts, until there is a whole head or an echo.
async fn answer(proxy: &Proxy, request: &[u8], split: usize) -> String {
    let mut client = Client::connect(proxy).await;
    client.send(&request[..split]).await;
    tokio::task::yield_now().await;
    client.send(&request[split..]).await;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") && answer != request {
        let read = tokio::time::timeout(LONG, client.0.read_buf(&mut answer));
        assert!(read.await.expect("nothing came").unwrap() > 0);
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn the_first_requests_are_answered_and_do_not_reach_the_dependency() {
    let proxy = proxy().await;
    let guard = proxy.inject(fault()).unwrap();
    // In the middle of the head, and in the middle of the body.
    for split in [9, POST.len() - 4] {
        let answer = answer(&proxy, POST, split).await;
        assert!(answer.starts_with("HTTP/1.1 503 \r\n"), "{answer}");
        assert!(answer.contains("\r\nretry-after: 7\r\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-length: 0\r\n"), "{answer}");
    }
    assert_eq!(proxy.traffic().sent, 0);
    assert_eq!(guard.touched().connections, 2);
    let echoed = answer(&proxy, POST, 9).await;
    assert_eq!(echoed.as_bytes(), POST);
}

#[tokio::test]
async fn other_protocols_pass() {
    let proxy = proxy().await;
    let guard = proxy.inject(fault()).unwrap();
    let mut client = Client::connect(&proxy).await;
    client.exchange(b"\0\0\0\x08\x04\xd2\x16\x2f").await;
    client.exchange(POST).await;
    assert_eq!(guard.touched().connections, 0);
}

#[tokio::test]
async fn the_beginning_of_a_request_passes_when_the_fault_is_healed() {
    let proxy = proxy().await;
    let guard = proxy.inject(fault()).unwrap();
    let mut client = Client::connect(&proxy).await;
    client.send(&POST[..20]).await;
    assert!(client.read_briefly().await.is_none());
    guard.heal().await.unwrap();
    client.send(&POST[20..]).await;
    assert_eq!(client.receive(POST.len()).await.unwrap(), POST);
}

#[tokio::test]
async fn a_client_that_ends_its_side_is_answered_too() {
    let proxy = proxy().await;
    let _guard = proxy.inject(fault()).unwrap();
    let mut client = Client::connect(&proxy).await;
    client.send(POST).await;
    tokio::io::AsyncWriteExt::shutdown(&mut client.0)
        .await
        .unwrap();
    let mut answer = Vec::new();
    within(client.0.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 503 "), "{answer:?}");
}
