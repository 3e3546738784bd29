//! Faults that end no connection leave open connections as they were, when they come and go.

use std::time::Duration;

use cutover_fault::faults::{
    Bandwidth, Blackhole, FirstRequests, HalfOpen, Latency, LostReply, Refuse, ResetAfterBytes,
    Slicer, SlowClose,
};
use cutover_fault::{Direction, Fault};

use crate::support::{Client, proxy};

/// Faults that have no reason to end an idle connection.
fn harmless() -> [Fault; 10] {
    let direction = Direction::Both;
    [
        Refuse {}.into(),
        Blackhole::default().into(),
        ResetAfterBytes {
            direction,
            bytes: 1_000_000,
        }
        .into(),
        Latency {
            direction,
            delay_ms: 3_600_000,
            jitter_ms: 1000,
        }
        .into(),
        Bandwidth {
            direction,
            bytes_per_second: 1,
        }
        .into(),
        Slicer {
            direction,
            average_bytes: 1,
            variation_bytes: 0,
            delay_us: 60_000_000,
        }
        .into(),
        SlowClose {
            direction,
            delay_ms: 3_600_000,
        }
        .into(),
        HalfOpen {}.into(),
        LostReply::default().into(),
        FirstRequests {
            requests: 1,
            status: 503,
            retry_after_s: None,
        }
        .into(),
    ]
}

#[tokio::test]
async fn an_idle_connection_survives_each_fault() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    for fault in harmless() {
        client.exchange(b"before").await;
        let guard = proxy.inject(fault).unwrap();
        assert!(client.read_briefly().await.is_none());
        guard.heal().await.unwrap();
        client.exchange(b"after").await;
    }
}

#[tokio::test]
async fn faults_that_come_and_go_quickly_keep_a_busy_connection_and_its_bytes() {
    let proxy = proxy().await;
    let mut client = Client::connect(&proxy).await;
    let delaying: Vec<Fault> = harmless().into_iter().skip(3).take(5).collect();
    for round in 0..20_u8 {
        for fault in &delaying {
            let guard = proxy.inject(fault.clone()).unwrap();
            client.send(&[round; 300]).await;
            // Some rounds heal before the bytes have reached the proxy, and some after.
            tokio::time::sleep(Duration::from_micros(u64::from(round) * 100)).await;
            drop(guard);
            assert_eq!(client.receive(300).await.unwrap(), [round; 300]);
        }
    }
}

#[tokio::test]
async fn a_connection_is_not_touched_by_a_fault_of_another_proxy() {
    let (faulty, other) = (proxy().await, proxy().await);
    let _guard = faulty.inject(Blackhole::default()).unwrap();
    Client::connect(&other).await.exchange(b"forwarded").await;
}
