//! The engine against servers on the loopback address whose behaviour is known.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use cutover_load::self_test::{Behaviour, TestServer};
use cutover_load::{Constant, Load, Report, Request, Stop, poisson};

const MS: fn(u64) -> Duration = Duration::from_millis;

fn load(server: &TestServer) -> Load {
    Load {
        connections: 4,
        drain: MS(500),
        ..Load::new(Request::get(&server.url()).unwrap())
    }
}

fn run(load: &Load, rate: f64, duration: Duration) -> Report {
    let pacer = Constant::new(rate, duration).unwrap();
    let report = load.open(&pacer, &Stop::default()).unwrap();
    assert!(report.account().is_balanced(), "{:?}", report.account());
    report
}

#[test]
fn every_request_of_a_healthy_server_is_ok_and_in_its_phase() {
    let server = TestServer::start(Behaviour::Delay(Duration::ZERO)).unwrap();
    let load = Load {
        phase_ends: vec![MS(250)],
        ..load(&server)
    };
    let report = run(&load, 200.0, MS(500));
    let account = report.account();
    assert_eq!((account.scheduled, account.ok), (100, 100));
    assert_eq!(report.phases[0].account.scheduled, 50);
    let total = report.total().unwrap();
    assert!(!total.response.quantile(1.0).unwrap().is_lower_bound);
}

#[test]
fn overload_is_censored_and_prints_as_a_lower_bound() {
    let server = TestServer::start(Behaviour::Delay(MS(50))).unwrap();
    let load = Load {
        drain: Duration::ZERO,
        ..load(&server)
    };
    let report = run(&load, 1_000.0, MS(400));
    let account = report.account();
    assert_eq!(account.scheduled, 400);
    assert!(account.never_sent > 300, "{account:?}");
    let p99 = report.total().unwrap().response.quantile(0.99).unwrap();
    assert!(p99.to_string().starts_with('≥'), "{p99}");
}

#[test]
fn a_request_has_a_deadline() {
    let server = TestServer::start(Behaviour::Delay(MS(300))).unwrap();
    let load = Load {
        timeout: MS(50),
        ..load(&server)
    };
    let account = run(&load, 50.0, MS(200)).account();
    assert_eq!((account.scheduled, account.timed_out), (10, 10));
}

#[test]
fn errors_are_counted_by_class() {
    let counts = |text| {
        let server = TestServer::start(Behaviour::Raw(text)).unwrap();
        run(&load(&server), 100.0, MS(100)).account()
    };
    assert_eq!(counts("no HTTP at all\r\n\r\n").protocol_errors, 10);
    assert_eq!(counts("").resets, 10);
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort";
    assert_eq!(counts(cut).resets, 10);
    let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    assert_eq!(counts(chunks).ok, 10);
    let until_close = "HTTP/1.1 200 OK\r\n\r\nok";
    assert_eq!(counts(until_close).ok, 10);
    let status = |code| match code {
        404 => "HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        _ => "HTTP/1.1 503 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    };
    assert_eq!(counts(status(404)).client_errors, 10);
    assert_eq!(counts(status(503)).server_errors, 10);
}

#[test]
fn a_port_without_a_server_is_a_connect_error() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let load = Load::new(Request::get(&url).unwrap());
    assert_eq!(run(&load, 100.0, MS(100)).account().connect_errors, 10);
}

#[test]
fn a_stop_ends_any_load_within_a_tenth_of_a_second() {
    for is_open in [true, false] {
        // A busy machine delays a load now and then; one that ignores the stop is late each time.
        let delays: Vec<Duration> = (0..3).map(|_| delay_of_stop(is_open)).collect();
        assert!(delays.iter().any(|delay| *delay < MS(100)), "{delays:?}");
    }
}

/// How long a load runs on after it is asked to stop.
fn delay_of_stop(is_open: bool) -> Duration {
    let server = TestServer::start(Behaviour::Delay(MS(400))).unwrap();
    let load = load(&server);
    let stop = Stop::default();
    let asking = stop.clone();
    let asked = std::thread::spawn(move || {
        // The load must be running when the stop is asked for.
        std::thread::sleep(MS(250));
        asking.ask();
        Instant::now()
    });
    let report = if is_open {
        let pacer = poisson(100.0, MS(20_000), 1).unwrap();
        load.open(&pacer, &stop).unwrap()
    } else {
        load.closed(MS(20_000), &stop).unwrap()
    };
    let delay = asked.join().unwrap().elapsed();
    assert!(report.account().is_balanced());
    assert!(report.account().unfinished > 0);
    delay
}

#[test]
fn a_closed_loop_sends_back_to_back() {
    let server = TestServer::start(Behaviour::Delay(MS(10))).unwrap();
    let report = load(&server).closed(MS(300), &Stop::default()).unwrap();
    let account = report.account();
    assert!(account.is_balanced());
    assert!((8..=124).contains(&account.ok), "{account:?}");
    let total = report.total().unwrap();
    assert!(total.response.quantile(0.5).unwrap().value >= MS(10));
}

#[test]
fn a_load_that_cannot_be_run_is_an_error() {
    let request = || Load::new(Request::get("http://127.0.0.1:9/").unwrap());
    let none = Load {
        connections: 0,
        ..request()
    };
    assert!(none.closed(MS(10), &Stop::default()).is_err());
    let no_time = Load {
        timeout: Duration::ZERO,
        ..request()
    };
    assert!(no_time.closed(MS(10), &Stop::default()).is_err());
    assert!(request().closed(Duration::ZERO, &Stop::default()).is_err());
}
