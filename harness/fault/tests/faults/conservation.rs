//! No byte is lost, added or moved by faults that only delay, also when they come and go.

use std::sync::Arc;
use std::time::Duration;

use cutover_fault::faults::{Bandwidth, Latency, Slicer};
use cutover_fault::{Direction, Injection};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use crate::support::{Client, LONG, SHORT, before, proxy, serve, within};

#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    chunks: Vec<usize>,
    latency: Latency,
    slicer: Slicer,
    bandwidth: Bandwidth,
    /// The milliseconds after which each fault is injected, and then healed.
    times: [(u64, u64); 3],
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![
        Just(Direction::ToUpstream),
        Just(Direction::FromUpstream),
        Just(Direction::Both)
    ]
}

prop_compose! {
    fn case()(
        seed in any::<u64>(),
        chunks in prop::collection::vec(1..20_000_usize, 1..20),
        latency in (direction(), 0..30_u64, 0..40_u64),
        slicer in (direction(), 200..4000_u32, 0..200_u32, 0..300_u64),
        bandwidth in (direction(), 2_000_000..100_000_000_u64),
        times in prop::array::uniform3((0..30_u64, 0..60_u64)),
    ) -> Case {
        Case {
            seed,
            chunks,
            latency: Latency { direction: latency.0, delay_ms: latency.1, jitter_ms: latency.2 },
            slicer: Slicer {
                direction: slicer.0,
                average_bytes: slicer.1,
                variation_bytes: slicer.2 % slicer.1,
                delay_us: slicer.3,
            },
            bandwidth: Bandwidth { direction: bandwidth.0, bytes_per_second: bandwidth.1 },
            times,
        }
    }
}

/// Sends the bytes of a case while its faults come and go; returns what was sent and came back.
async fn run(case: Case) -> (Vec<u8>, Vec<u8>) {
    let proxy = proxy().await;
    let client = Client::connect(&proxy).await;
    let (mut from, mut to) = client.0.into_split();
    let mut sent = vec![0; case.chunks.iter().sum()];
    StdRng::seed_from_u64(case.seed).fill(sent.as_mut_slice());
    let bytes = sent.clone();
    let sending = async move {
        let mut rest = bytes.as_slice();
        for size in case.chunks {
            let (chunk, after) = rest.split_at(size);
            to.write_all(chunk).await.unwrap();
            // The faults are to come and go in the middle of the stream.
            tokio::time::sleep(Duration::from_millis(3)).await;
            rest = after;
        }
        to.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let receiving = async { from.read_to_end(&mut received).await.unwrap() };
    let fault = async |injection: Injection, (from, time): (u64, u64)| {
        tokio::time::sleep(Duration::from_millis(from)).await;
        let guard = proxy.inject(injection.seed(case.seed)).unwrap();
        // How long the fault is there is a part of the case.
        tokio::time::sleep(Duration::from_millis(time)).await;
        drop(guard);
    };
    let all = async {
        tokio::join!(
            sending,
            receiving,
            fault(case.latency.into(), case.times[0]),
            fault(case.slicer.into(), case.times[1]),
            fault(case.bandwidth.into(), case.times[2]),
        )
    };
    tokio::time::timeout(LONG, all)
        .await
        .expect("bytes are missing");
    (sent, received)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_sent_is_received(case in case()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (sent, received) = runtime.block_on(run(case));
        prop_assert!(sent == received, "{} of {} bytes, or others", received.len(), sent.len());
    }
}

/// The byte at a position of a long stream: a prime period shows what is lost or moved.
fn pattern(position: usize) -> u8 {
    u8::try_from(position % 251).unwrap()
}

/// Reads nothing before the notification. Then it reads everything, and answers with the number of leading bytes that
/// match the pattern.
async fn late_reader(reads: Arc<Notify>) -> std::net::SocketAddr {
    serve(move |mut stream| {
        let reads = Arc::clone(&reads);
        async move {
            reads.notified().await;
            let mut received = Vec::new();
            stream.read_to_end(&mut received).await.unwrap();
            let bytes = received.iter().enumerate();
            let held = bytes.take_while(|(position, byte)| pattern(*position) == **byte);
            stream.write_u64(held.count() as u64).await.unwrap();
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_comes_while_the_receiver_does_not_read_loses_nothing() {
    const SIZE: usize = 32 * 1024 * 1024;
    let reads = Arc::new(Notify::new());
    let proxy = before(late_reader(Arc::clone(&reads)).await).await;
    let (mut from, mut to) = Client::connect(&proxy).await.0.into_split();
    tokio::spawn(async move {
        let bytes: Vec<u8> = (0..SIZE).map(pattern).collect();
        to.write_all(&bytes).await.unwrap();
        to.shutdown().await.unwrap();
    });
    // Until the buffers of the system are full, and the proxy waits in the middle of a write.
    let mut sent = 0;
    while sent == 0 || proxy.traffic().sent > sent {
        sent = proxy.traffic().sent;
        tokio::time::sleep(SHORT).await;
    }
    assert!(sent < SIZE as u64, "the receiver has read");
    let latency = Latency {
        delay_ms: 5,
        ..Latency::default()
    };
    let _guard = proxy.inject(latency).unwrap();
    tokio::time::sleep(SHORT).await;
    reads.notify_one();
    assert_eq!(within(from.read_u64()).await.unwrap(), SIZE as u64);
}
