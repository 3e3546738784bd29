//! Reset and close after bytes: the first bytes arrive, up to the limit of the fault, and then the connection ends.

use std::io::ErrorKind;

use cutover_fault::faults::{CloseAfterBytes, Fault, ResetAfterBytes};
use cutover_fault::{Direction, Proxy};
use tokio::sync::mpsc;

use crate::support::{Client, before, echo, serve, within};

/// Sends 5 bytes twice through a proxy that allows 7 to come back.
async fn cut(fault: Fault) -> (Proxy, Option<ErrorKind>) {
    let proxy = before(echo().await).await;
    let guard = proxy.inject(fault).unwrap();
    let mut client = Client::connect(&proxy).await;
    client.exchange(b"12345").await;
    client.send(b"67890").await;
    assert_eq!(client.receive(2).await.unwrap(), b"67");
    let ending = client.ending().await;
    assert_eq!(guard.touched().connections, 1);
    guard.heal().await.unwrap();
    Client::connect(&proxy).await.exchange(&[1; 100]).await;
    (proxy, ending)
}

#[tokio::test]
async fn a_connection_is_reset_after_the_bytes() {
    let fault = ResetAfterBytes {
        direction: Direction::FromUpstream,
        bytes: 7,
    };
    let (_proxy, ending) = cut(fault.into()).await;
    assert_eq!(ending, Some(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_connection_is_closed_after_the_bytes() {
    let fault = CloseAfterBytes {
        direction: Direction::FromUpstream,
        bytes: 7,
    };
    let (_proxy, ending) = cut(fault.into()).await;
    assert_eq!(ending, None);
}

#[tokio::test]
async fn the_dependency_receives_only_the_bytes() {
    let (sender, mut received) = mpsc::unbounded_channel();
    let upstream = serve(move |stream| {
        let sender = sender.clone();
        async move {
            let mut client = Client(stream);
            let bytes = client.receive(7).await.unwrap();
            sender.send((bytes, client.ending().await)).unwrap();
        }
    });
    let proxy = before(upstream.await).await;
    let fault = CloseAfterBytes {
        direction: Direction::ToUpstream,
        bytes: 7,
    };
    let _guard = proxy.inject(fault).unwrap();
    let mut client = Client::connect(&proxy).await;
    client.send(b"1234567890").await;
    assert_eq!(
        within(received.recv()).await.unwrap(),
        (b"1234567".to_vec(), None)
    );
}
