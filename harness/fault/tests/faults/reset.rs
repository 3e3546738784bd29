//! Reset: open and new connections end with RST.

use std::io::ErrorKind;

use cutover_fault::faults::Reset;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use crate::support::{Client, SHORT, before, proxy, serve, within};

#[tokio::test]
async fn open_and_new_connections_are_reset() {
    let proxy = proxy().await;
    let mut open = Client::connect(&proxy).await;
    open.exchange(b"before").await;
    let guard = proxy.inject(Reset::default()).unwrap();
    assert_eq!(open.ending().await, Some(ErrorKind::ConnectionReset));
    let mut new = Client::connect(&proxy).await;
    assert_eq!(new.ending().await, Some(ErrorKind::ConnectionReset));
    assert_eq!(guard.touched().connections, 2);
    guard.heal().await.unwrap();
    Client::connect(&proxy).await.exchange(b"after").await;
}

#[tokio::test]
async fn the_dependency_sees_the_reset_too() {
    let (sender, mut endings) = mpsc::unbounded_channel();
    let upstream = serve(move |stream| {
        let sender = sender.clone();
        async move {
            let ending = Client(stream).ending().await;
            sender.send(ending).unwrap();
        }
    });
    let proxy = before(upstream.await).await;
    let mut client = Client::connect(&proxy).await;
    client.send(b"x").await;
    crate::support::eventually("the byte", || proxy.traffic().sent == 1).await;
    let _guard = proxy.inject(Reset::default()).unwrap();
    assert_eq!(
        within(endings.recv()).await,
        Some(Some(ErrorKind::ConnectionReset))
    );
}

#[tokio::test]
async fn a_connection_is_reset_after_the_time() {
    let proxy = proxy().await;
    let _guard = proxy.inject(Reset { after_ms: 150 }).unwrap();
    let mut client = Client::connect(&proxy).await;
    client.exchange(b"before").await;
    assert_eq!(client.ending().await, Some(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_connection_is_reset_while_its_receiver_does_not_read() {
    // Connections are accepted, kept, and never read.
    let (sender, _accepted) = mpsc::unbounded_channel();
    let upstream = serve(move |stream| {
        sender.send(stream).unwrap();
        std::future::ready(())
    });
    let proxy = before(upstream.await).await;
    let mut client = Client::connect(&proxy).await;
    let chunk = vec![0; 1024 * 1024];
    // A write that does not end in this time waits for the receiver.
    while tokio::time::timeout(SHORT, client.0.write_all(&chunk))
        .await
        .is_ok()
    {}
    let _guard = proxy.inject(Reset::default()).unwrap();
    assert!(within(client.0.write_all(&chunk)).await.is_err());
}
