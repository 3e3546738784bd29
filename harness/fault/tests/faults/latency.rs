//! Latency: bytes arrive later and in order, and a stream is not slowed down.

use std::time::{Duration, Instant};

use cutover_fault::faults::Latency;
use cutover_fault::{Direction, Injection};

use crate::support::{Client, proxy};

fn to_upstream(delay_ms: u64) -> Latency {
    Latency {
        direction: Direction::ToUpstream,
        delay_ms,
        jitter_ms: 0,
    }
}

#[tokio::test]
async fn a_request_is_delayed_once_per_direction() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    client.exchange(b"before").await;
    let fault = Latency {
        direction: Direction::Both,
        ..to_upstream(60)
    };
    let guard = proxy.inject(fault).unwrap();
    let start = Instant::now();
    client.exchange(b"during").await;
    // A timer may fire half a tick early, once per direction.
    assert!(start.elapsed() >= Duration::from_millis(119));
    let touched = guard.touched();
    assert_eq!(
        (touched.connections, touched.chunks, touched.bytes),
        (1, 2, 12)
    );
}

#[tokio::test]
async fn the_delays_of_a_stream_do_not_add_up() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    let guard = proxy.inject(to_upstream(200)).unwrap();
    let start = Instant::now();
    for number in 0..100_u8 {
        client.send(&[number]).await;
        // Each byte is to arrive by itself.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let expected: Vec<u8> = (0..100).collect();
    assert_eq!(client.receive(100).await.unwrap(), expected);
    // Added up, they would take 100 times 200 ms.
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(guard.touched().chunks > 20);
}

#[tokio::test]
async fn a_healed_fault_delivers_what_it_held_at_once_and_in_order() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    let guard = proxy.inject(to_upstream(3_600_000)).unwrap();
    client.send(b"first ").await;
    assert!(client.read_briefly().await.is_none());
    drop(guard);
    client.send(b"second").await;
    assert_eq!(client.receive(12).await.unwrap(), b"first second");
}

#[tokio::test]
async fn jitter_above_the_delay_neither_hangs_nor_disorders() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    let fault = Latency {
        delay_ms: 5,
        jitter_ms: 20,
        direction: Direction::Both,
    };
    let guard = proxy.inject(Injection::new(fault).seed(7)).unwrap();
    let start = Instant::now();
    let mut delays = Vec::new();
    for number in 0..40_u8 {
        let sent = Instant::now();
        client.exchange(&[number, 255 - number]).await;
        delays.push(sent.elapsed());
    }
    // Drawn from 0 to 25 ms twice, of which 40 have a mean above 10 ms.
    assert!(start.elapsed() > Duration::from_millis(400));
    delays.sort();
    assert!(
        delays[39] > delays[0] + Duration::from_millis(5),
        "{delays:?}"
    );
    assert_eq!(guard.touched().bytes, 160);
}

#[tokio::test]
async fn a_stream_under_latency_keeps_its_bandwidth() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    let guard = proxy.inject(to_upstream(100)).unwrap();
    let size = 64 * 1024 * 1024;
    let start = Instant::now();
    let (mut from, mut to) = client.0.split();
    let sent = async {
        let chunk = vec![7; 64 * 1024];
        for _ in 0..size / chunk.len() {
            tokio::io::AsyncWriteExt::write_all(&mut to, &chunk)
                .await
                .unwrap();
        }
    };
    let received = async {
        let mut buffer = vec![0; 64 * 1024];
        let mut received = 0;
        while received < size {
            received += tokio::io::AsyncReadExt::read(&mut from, &mut buffer)
                .await
                .unwrap();
        }
    };
    tokio::join!(sent, received);
    // 64 kB per delay, which a proxy without a line would pass, take 100 s.
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(guard.touched().bytes, size as u64);
}
