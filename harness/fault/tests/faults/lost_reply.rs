//! Lost reply: the dependency gets the request and commits it; the client gets a reset.

use std::io::ErrorKind;

use cutover_fault::faults::LostReply;
use cutover_fault::{Injection, Trigger};
use tokio::sync::mpsc;

use crate::support::{Client, before, serve, within};

/// Takes requests of 100 kB, notes them, and answers in two parts.
async fn ledger() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<Vec<u8>>) {
    let (sender, committed) = mpsc::unbounded_channel();
    let address = serve(move |stream| {
        let sender = sender.clone();
        async move {
            let mut client = Client(stream);
            while let Ok(request) = client.receive(100_000).await {
                sender.send(request).unwrap();
                let _ = tokio::io::AsyncWriteExt::write_all(&mut client.0, b"comm").await;
                tokio::task::yield_now().await;
                let _ = tokio::io::AsyncWriteExt::write_all(&mut client.0, b"itted").await;
            }
        }
    });
    (address.await, committed)
}

#[tokio::test]
async fn the_request_arrives_and_nothing_of_the_reply_comes_back() {
    let (address, mut committed) = ledger().await;
    let proxy = before(address).await;
    let mut client = Client::connect(&proxy).await;
    let injection = Injection::new(LostReply::default()).trigger(Trigger::FromRequest(2));
    let guard = proxy.inject(injection).unwrap();
    client.send(&vec![1; 100_000]).await;
    assert_eq!(client.receive(9).await.unwrap(), b"committed");
    client.send(&vec![2; 100_000]).await;
    let error = client.receive(1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(within(committed.recv()).await.unwrap(), vec![1; 100_000]);
    assert_eq!(within(committed.recv()).await.unwrap(), vec![2; 100_000]);
    assert_eq!(guard.touched().bytes, 9);
    guard.heal().await.unwrap();
    let mut client = Client::connect(&proxy).await;
    client.send(&vec![3; 100_000]).await;
    assert_eq!(client.receive(9).await.unwrap(), b"committed");
}
