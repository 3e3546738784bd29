//! Blackhole: nothing passes; what was held is delivered after the fault is healed.

use std::io::ErrorKind;

use cutover_fault::Direction;
use cutover_fault::faults::Blackhole;
use tokio::time::timeout;

use crate::support::{Client, LONG, SHORT, proxy};

#[tokio::test]
async fn a_new_connection_is_accepted_and_not_answered_until_the_fault_is_healed() {
    let proxy = proxy().await;
    let guard = proxy.inject(Blackhole::default()).unwrap();
    let mut client = Client::connect(&proxy).await;
    client.send(b"held").await;
    assert!(client.read_briefly().await.is_none());
    assert_eq!(guard.touched().connections, 1);
    guard.heal().await.unwrap();
    assert_eq!(client.receive(4).await.unwrap(), b"held");
}

#[tokio::test]
async fn one_direction_of_an_open_connection_is_held() {
    for direction in [Direction::ToUpstream, Direction::FromUpstream] {
        let proxy = proxy().await;
        let mut client = Client::connect(&proxy).await;
        client.exchange(b"before").await;
        let fault = Blackhole {
            direction,
            ..Blackhole::default()
        };
        let guard = proxy.inject(fault).unwrap();
        let sent_before = proxy.traffic().sent;
        client.send(b"held").await;
        assert!(client.read_briefly().await.is_none());
        let reached = proxy.traffic().sent > sent_before;
        assert_eq!(reached, direction == Direction::FromUpstream);
        assert_eq!(guard.touched().bytes, 4);
        guard.heal().await.unwrap();
        assert_eq!(client.receive(4).await.unwrap(), b"held");
    }
}

#[tokio::test]
async fn discarded_bytes_do_not_come_back() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    client.exchange(b"before").await;
    let fault = Blackhole {
        discard: true,
        direction: Direction::ToUpstream,
        ..Blackhole::default()
    };
    let guard = proxy.inject(fault).unwrap();
    client.send(b"lost").await;
    assert!(client.read_briefly().await.is_none());
    guard.heal().await.unwrap();
    client.exchange(b"after").await;
}

#[tokio::test]
async fn a_connection_is_closed_after_the_time() {
    let proxy = proxy().await;
    let fault = Blackhole {
        close_after_ms: Some(200),
        ..Blackhole::default()
    };
    let _guard = proxy.inject(fault).unwrap();
    let mut client = Client::connect(&proxy).await;
    client.send(b"held").await;
    assert!(client.read_briefly().await.is_none());
    let ending = timeout(LONG, client.ending()).await.unwrap();
    assert!(matches!(ending, None | Some(ErrorKind::ConnectionReset)));
}

#[tokio::test]
async fn the_sender_notices_that_nothing_is_taken() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    client.exchange(b"before").await;
    let guard = proxy.inject(Blackhole::default()).unwrap();
    let chunk = vec![0; 64 * 1024];
    // The buffers of the system hold some megabytes at most.
    let sending = timeout(SHORT * 10, async {
        for _ in 0..4096 {
            client.send(&chunk).await;
        }
    });
    assert!(sending.await.is_err(), "256 MB were taken");
    assert!(guard.touched().bytes <= 256 * 1024);
}
