//! Compares the proxy with a plain connection and with trixter, in interleaved rounds.
//!
//! trixter takes part if its binary is in `target/anchors/bin`:
//! `cargo install trixter --version 0.1.1 --root target/anchors`. Toxiproxy is not packaged by Debian and takes no part.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod measure;
mod statistics;
mod subject;
mod upstream;

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use measure::{
    applied, bulk, connections, exchange_rate, exchanges, is_descriptor_free, message_delays,
};
use statistics::{Samples, median};
use subject::{Fault, Subject};

/// Rounds, in each of which every subject is measured once.
const ROUNDS: usize = 7;

/// A result, or what prevented it.
type Measured<T> = Result<T, Box<dyn Error>>;

fn main() -> Measured<()> {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let names = chosen.iter().filter(|argument| !argument.starts_with('-'));
    let names: Vec<_> = names.map(String::as_str).collect();
    for (name, measure) in MEASUREMENTS {
        if names.is_empty() || names.contains(&name) {
            measure()?;
        }
    }
    Ok(())
}

/// A measurement and its name, which may be given as an argument.
type Measurement = (&'static str, fn() -> Measured<()>);

const MEASUREMENTS: [Measurement; 7] = [
    ("round-trip", round_trips),
    ("parallel", parallel),
    ("bulk", || throughput("bulk, MB/s", Fault::None, 512)),
    ("stream", stream),
    ("delayed-bulk", || {
        throughput("bulk under +20 ms, MB/s", Fault::DelayMs(20), 256)
    }),
    ("apply", apply),
    ("connections", many_connections),
];

/// Request and response of 64 bytes on one connection, against a plain connection.
fn round_trips() -> Measured<()> {
    let subjects = Subject::all(Fault::None)?;
    let mut p50 = vec![Vec::new(); subjects.len()];
    let mut p99 = vec![Vec::new(); subjects.len()];
    for _ in 0..ROUNDS {
        for (index, subject) in subjects.iter().enumerate() {
            let samples = exchanges(subject.address(), 4000)?;
            p50[index].push(samples.quantile(0.5));
            p99[index].push(samples.quantile(0.99));
        }
    }
    let plain = (median(&p50[0]), median(&p99[0]));
    println!("round trip of 64 bytes, microseconds: p50 / p99 (added)");
    for (index, subject) in subjects.iter().enumerate() {
        let (p50, p99) = (median(&p50[index]), median(&p99[index]));
        let added = (p50 - plain.0, p99 - plain.1);
        let name = subject.name();
        println!(
            "  {name:<10}{p50:8.0} / {p99:6.0}   (+{:.0} / {:+.0})",
            added.0, added.1
        );
    }
    println!("  goal       added p50 at most 60, added p99 at most 1000");
    Ok(())
}

/// Megabytes per second on one connection; a transfer is given up after some seconds.
fn throughput(what: &str, fault: Fault, megabytes: usize) -> Measured<()> {
    rates(what, fault, |address| Ok(bulk(address, megabytes)?))
}

/// Exchanges of 64 bytes per second on 32 connections at a time.
fn parallel() -> Measured<()> {
    let what = "round trips of 64 bytes per second, on 32 connections";
    rates(what, Fault::None, |address| exchange_rate(address, 32, 500))
}

fn rates(what: &str, fault: Fault, measure: impl Fn(SocketAddr) -> Measured<f64>) -> Measured<()> {
    let subjects = Subject::all(fault)?;
    let mut rates = vec![Vec::new(); subjects.len()];
    for _ in 0..ROUNDS {
        for (index, subject) in subjects.iter().enumerate() {
            rates[index].push(measure(subject.address())?);
        }
    }
    println!("{what}");
    for (subject, rates) in subjects.iter().zip(&rates) {
        println!("  {:<10}{:8.1}", subject.name(), median(rates));
    }
    Ok(())
}

/// A message every 5 ms under a delay of 50 ms: how late each one is, and whether all arrive.
fn stream() -> Measured<()> {
    const MESSAGES: usize = 300;
    let subjects = Subject::all(Fault::DelayMs(50))?;
    let mut delays: Vec<_> = subjects.iter().map(|_| Samples::default()).collect();
    for _ in 0..3 {
        for (index, subject) in subjects.iter().enumerate() {
            delays[index].extend(message_delays(subject.address(), MESSAGES)?);
        }
    }
    println!("one way under +50 ms, a message each 5 ms, milliseconds: p50 / p99, messages lost");
    for (subject, delays) in subjects.iter().zip(&delays) {
        let (p50, p99) = (
            delays.quantile(0.5) / 1000.0,
            delays.quantile(0.99) / 1000.0,
        );
        let lost = 3 * MESSAGES - delays.len();
        let name = subject.name();
        println!(
            "  {name:<10}{p50:8.2} / {p99:6.2}   {lost} of {}",
            3 * MESSAGES
        );
    }
    println!("  goal         50 +- 1.5, none lost");
    Ok(())
}

/// From the call that resets connections to the error that the client reads.
fn apply() -> Measured<()> {
    println!("from a reset to the client's error, microseconds: p50 / p99");
    for subject in Subject::all(Fault::None)? {
        if !subject.can_reset() {
            continue;
        }
        let samples = applied(&subject, 200)?;
        let (p50, p99) = (samples.quantile(0.5), samples.quantile(0.99));
        println!("  {:<10}{p50:8.0} / {p99:6.0}", subject.name());
    }
    println!("  goal       at most 2000");
    Ok(())
}

/// Connections that are opened, used once and closed, one after another.
fn many_connections() -> Measured<()> {
    const CONNECTIONS: usize = 10_000;
    let subjects = Subject::all(Fault::None)?;
    println!("{CONNECTIONS} connections, each opened, used once and closed: per second");
    for subject in &subjects {
        let before = measure::descriptors()?;
        let elapsed = connections(subject.address(), CONNECTIONS)?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let rate = CONNECTIONS as f64 / elapsed.as_secs_f64();
        let clean = is_descriptor_free(before, Duration::from_secs(5))?;
        let descriptors = if clean {
            "none left open"
        } else {
            "some left open"
        };
        println!("  {:<10}{rate:8.0}   {descriptors}", subject.name());
    }
    Ok(())
}
