//! Slicer: bytes arrive in small pieces, with time between them.

use std::time::{Duration, Instant};

use cutover_fault::faults::Slicer;
use cutover_fault::{Direction, Injection};
use tokio::io::AsyncReadExt as _;

use crate::support::{Client, proxy};

#[tokio::test]
async fn bytes_arrive_in_pieces_of_the_sizes() {
    let proxy = proxy().await;
    let fault = Slicer {
        direction: Direction::FromUpstream,
        average_bytes: 10,
        variation_bytes: 4,
        delay_us: 20_000,
    };
    let guard = proxy.inject(Injection::new(fault).seed(5)).unwrap();
    let mut client = Client::connect(&proxy).await;
    let bytes: Vec<u8> = (0..100).collect();
    let start = Instant::now();
    client.send(&bytes).await;
    let mut received = Vec::new();
    let mut reads = 0;
    while received.len() < bytes.len() {
        let before = received.len();
        client.0.read_buf(&mut received).await.unwrap();
        assert!(received.len() > before);
        reads += 1;
    }
    assert_eq!(received, bytes);
    // At least 8 pieces; a loaded machine may read several at once, but not most of them.
    assert!(reads >= 4, "{reads} reads");
    assert!(start.elapsed() >= Duration::from_millis(8 * 20 - 5));
    assert_eq!(guard.touched().bytes, 100);
}
