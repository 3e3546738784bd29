//! Triggers, probability, time to live, and the guard.

use std::time::Duration;

use cutover_fault::faults::{Blackhole, Latency, Refuse, Reset};
use cutover_fault::{Direction, FaultState, HealError, Injection, Trigger};

use crate::support::{Client, before, eventually, proxy};

#[tokio::test]
async fn a_fault_waits_for_its_time() {
    let proxy = proxy().await;
    let mut open = Client::connect(&proxy).await;
    open.exchange(b"before").await;
    let injection = Injection::new(Reset::default()).trigger(Trigger::AfterMs(300));
    let guard = proxy.inject(injection).unwrap();
    assert_eq!(guard.status().state, FaultState::Waiting);
    open.exchange(b"still").await;
    assert!(open.ending().await.is_some());
    assert_eq!(guard.status().state, FaultState::Active);
}

#[tokio::test]
async fn a_fault_waits_for_an_event() {
    let proxy = proxy().await;
    let mut open = Client::connect(&proxy).await;
    let injection = Injection::new(Reset::default()).trigger(Trigger::OnEvent);
    let guard = proxy.inject(injection).unwrap();
    open.exchange(b"before").await;
    assert_eq!(guard.touched().connections, 0);
    guard.fire();
    assert!(open.ending().await.is_some());
}

#[tokio::test]
async fn a_fault_waits_for_bytes_of_each_connection_and_touches_none_before() {
    let proxy = proxy().await;
    let fault = Blackhole {
        direction: Direction::ToUpstream,
        ..Blackhole::default()
    };
    let injection = Injection::new(fault).trigger(Trigger::AfterBytes(10));
    let guard = proxy.inject(injection).unwrap();
    for connections in 1..=2 {
        let mut client = Client::connect(&proxy).await;
        // Four bytes go up and come back: two of the next four are within the ten.
        client.exchange(b"1234").await;
        client.send(b"5678").await;
        assert_eq!(client.receive(2).await.unwrap(), b"56");
        assert!(client.read_briefly().await.is_none());
        assert_eq!(guard.touched().connections, connections);
    }
}

#[tokio::test]
async fn a_fault_starts_with_a_connection() {
    let proxy = proxy().await;
    let mut open = Client::connect(&proxy).await;
    open.exchange(b"open").await;
    let injection = Injection::new(Reset::default()).trigger(Trigger::FromConnection(2));
    let _guard = proxy.inject(injection).unwrap();
    let mut first = Client::connect(&proxy).await;
    first.exchange(b"first").await;
    assert!(Client::connect(&proxy).await.ending().await.is_some());
    assert!(Client::connect(&proxy).await.ending().await.is_some());
    open.exchange(b"open").await;
    first.exchange(b"first").await;
}

#[tokio::test]
async fn a_fault_starts_with_a_request() {
    let proxy = proxy().await;
    let mut first = Client::connect(&proxy).await;
    let mut second = Client::connect(&proxy).await;
    first.exchange(b"before").await;
    let injection = Injection::new(Blackhole::default()).trigger(Trigger::FromRequest(3));
    let guard = proxy.inject(injection).unwrap();
    first.exchange(b"one").await;
    second.exchange(b"two").await;
    first.send(b"three").await;
    assert!(first.read_briefly().await.is_none());
    assert_eq!(guard.touched().bytes, 5);
    guard.heal().await.unwrap();
    assert_eq!(first.receive(5).await.unwrap(), b"three");
}

#[tokio::test]
async fn a_probability_of_zero_never_acts_and_of_a_half_acts_on_some() {
    let proxy = proxy().await;
    let never = proxy
        .inject(Injection::new(Reset::default()).probability(0.0))
        .unwrap();
    for _ in 0..50 {
        Client::connect(&proxy).await.exchange(b"x").await;
    }
    assert_eq!(never.touched().connections, 0);
    drop(never);
    let half = Injection::new(Reset::default()).probability(0.5).seed(3);
    let half = proxy.inject(half).unwrap();
    for _ in 0..100 {
        let mut client = Client::connect(&proxy).await;
        let _ = tokio::io::AsyncWriteExt::write_all(&mut client.0, b"x").await;
        let _ = client.receive(1).await;
    }
    let touched = half.touched().connections;
    assert!((20..=80).contains(&touched), "{touched}");
}

#[tokio::test]
async fn the_same_seed_chooses_the_same_connections() {
    let mut chosen = Vec::new();
    for seed in [1, 1, 2] {
        let proxy = proxy().await;
        let _half = proxy
            .inject(Injection::new(Reset::default()).probability(0.5).seed(seed))
            .unwrap();
        let mut connections = Vec::new();
        for _ in 0..40 {
            let mut client = Client::connect(&proxy).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut client.0, b"x").await;
            connections.push(client.receive(1).await.is_ok());
        }
        chosen.push(connections);
    }
    assert_eq!(chosen[0], chosen[1]);
    assert_ne!(chosen[0], chosen[2]);
}

#[tokio::test]
async fn a_fault_removes_itself_after_its_time_to_live() {
    let proxy = proxy().await;
    let mut open = Client::connect(&proxy).await;
    open.exchange(b"before").await;
    let injection = Injection::new(Blackhole::default());
    let guard = proxy
        .inject(injection.time_to_live(Duration::from_millis(300)))
        .unwrap();
    open.send(b"held").await;
    assert!(open.read_briefly().await.is_none());
    assert_eq!(open.receive(4).await.unwrap(), b"held");
    eventually("the removal", || guard.is_removed()).await;
    assert!(proxy.faults().is_empty());
}

#[tokio::test]
async fn dropping_the_guard_heals_and_faults_are_listed() {
    let proxy = proxy().await;
    let latency = Latency {
        delay_ms: 1,
        ..Latency::default()
    };
    let guard = proxy.inject(latency.clone()).unwrap();
    let other = proxy.inject(Refuse {}).unwrap();
    let listed: Vec<_> = proxy.faults().into_iter().map(|each| each.fault).collect();
    assert_eq!(listed, [latency.into(), Refuse {}.into()]);
    drop((guard, other));
    assert!(proxy.faults().is_empty());
    Client::connect(&proxy).await.exchange(b"after").await;
}

#[tokio::test]
async fn healing_is_not_confirmed_while_a_new_connection_does_not_get_through() {
    let proxy = proxy().await;
    let blackhole = proxy.inject(Blackhole::default()).unwrap();
    let _refuse = proxy.inject(Refuse {}).unwrap();
    let error = blackhole.heal().await.unwrap_err();
    assert!(matches!(error, HealError::Unreachable { .. }), "{error}");
    let unreachable = before("127.0.0.1:1".parse().unwrap()).await;
    let guard = unreachable.inject(Blackhole::default()).unwrap();
    let error = guard.heal().await.unwrap_err();
    assert!(matches!(error, HealError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_probe_is_not_traffic() {
    let proxy = proxy().await;
    let guard = proxy.inject(Blackhole::default()).unwrap();
    guard.heal().await.unwrap();
    assert_eq!(proxy.traffic().connections, 0);
}

#[tokio::test]
async fn an_error_names_the_fault_the_field_and_the_range() {
    let proxy = proxy().await;
    let error = proxy
        .inject(Injection::new(Reset::default()).probability(1.5))
        .unwrap_err();
    let expected = "inject fault 'reset': probability is 1.5, must be from 0 to 1";
    assert_eq!(error.to_string(), expected);
    assert!(proxy.faults().is_empty());
    let nan = Injection::new(Reset::default()).probability(f64::NAN);
    assert!(proxy.inject(nan).is_err());
    let zeroth = Injection::new(Reset::default()).trigger(Trigger::FromConnection(0));
    assert!(proxy.inject(zeroth).is_err());
}
