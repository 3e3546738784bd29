//! Bandwidth: a stream takes the time that its rate says.

use std::time::{Duration, Instant};

use cutover_fault::Direction;
use cutover_fault::faults::Bandwidth;

use crate::support::{Client, SHORT, proxy};

#[tokio::test]
async fn a_stream_takes_its_size_divided_by_the_rate() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    let fault = Bandwidth {
        direction: Direction::FromUpstream,
        bytes_per_second: 100_000,
    };
    let guard = proxy.inject(fault).unwrap();
    let bytes: Vec<u8> = (0..=255).cycle().take(50_000).collect();
    let start = Instant::now();
    client.exchange(&bytes).await;
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_millis(490), "{elapsed:?}");
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    assert_eq!(guard.touched().bytes, 50_000);
    guard.heal().await.unwrap();
}

#[tokio::test]
async fn a_healed_fault_delivers_the_rest_at_once() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    let fault = Bandwidth {
        direction: Direction::Both,
        bytes_per_second: 100,
    };
    let guard = proxy.inject(fault).unwrap();
    client.send(&vec![9; 100_000]).await;
    assert_eq!(client.receive(2).await.unwrap(), [9, 9]);
    // Without the fault, everything has come within this time.
    tokio::time::sleep(SHORT).await;
    assert!(proxy.traffic().received < 10_000);
    drop(guard);
    assert_eq!(client.receive(99_998).await.unwrap(), vec![9; 99_998]);
}
