//! Slow close: bytes arrive at once, their end later.

use std::time::{Duration, Instant};

use cutover_fault::Direction;
use cutover_fault::faults::SlowClose;
use tokio::io::AsyncWriteExt as _;

use crate::support::{Client, proxy};

fn fault(delay_ms: u64) -> SlowClose {
    SlowClose {
        direction: Direction::FromUpstream,
        delay_ms,
    }
}

#[tokio::test]
async fn the_end_comes_after_the_delay_and_bytes_before_it() {
    let proxy = proxy().await;
    let guard = proxy.inject(fault(300)).unwrap();
    let mut client = Client::connect(&proxy).await;
    let start = Instant::now();
    client.exchange(b"at once").await;
    client.0.shutdown().await.unwrap();
    assert_eq!(client.ending().await, None);
    assert!(start.elapsed() >= Duration::from_millis(299));
    assert_eq!(guard.touched().chunks, 1);
}

#[tokio::test]
async fn a_healed_fault_passes_the_end_on() {
    let proxy = proxy().await;
    let guard = proxy.inject(fault(3_600_000)).unwrap();
    let mut client = Client::connect(&proxy).await;
    client.exchange(b"at once").await;
    client.0.shutdown().await.unwrap();
    assert!(client.read_briefly().await.is_none());
    guard.heal().await.unwrap();
    assert_eq!(client.ending().await, None);
}
