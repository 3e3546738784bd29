//! Compares the load generator with oha and wrk, in interleaved rounds, and measures known results.
//!
//! Usage: `OHA=… WRK=… cargo bench -p cutover-load --bench engine`; a program that is absent takes no part.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::process::Command;
use std::time::Duration;

use cutover_load::self_test::{self, Behaviour, TestServer};
use cutover_load::{Constant, Load, Report, Request, Stop};

/// Rounds, in each of which every subject is measured once.
const ROUNDS: usize = 3;

/// How long each measurement lasts.
const DURATION: Duration = Duration::from_secs(2);

type Measured<T> = Result<T, Box<dyn Error>>;

fn main() -> Measured<()> {
    let server = TestServer::start(Behaviour::Delay(Duration::ZERO))?;
    for rate in [2_000.0, 10_000.0] {
        open(&server, rate)?;
    }
    closed(&server)?;
    for result in self_test::run() {
        println!(
            "{}: expected {:.2}, measured {:?}",
            result.what, result.expected, result.measured
        );
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn rate(report: &Report) -> f64 {
    report.account().ok as f64 / report.elapsed.as_secs_f64()
}

fn open(server: &TestServer, asked: f64) -> Measured<()> {
    let load = Load::new(Request::get(&server.url())?);
    let (mut ours, mut oha) = ([vec![], vec![]], [vec![], vec![]]);
    for _ in 0..ROUNDS {
        let report = load.open(&Constant::new(asked, DURATION)?, &Stop::default())?;
        let p50 = report.total()?.response.quantile(0.5);
        ours[0].push(rate(&report));
        ours[1].push(p50.map_or(f64::NAN, |p50| p50.value.as_secs_f64() * 1e3));
        let limit = format!("{asked}");
        let arguments = ["-q", &limit, "--latency-correction"];
        if let Some((rate, p50)) = run_oha(&server.url(), &arguments) {
            oha[0].push(rate);
            oha[1].push(p50);
        }
    }
    println!("open loop, {asked} per second asked: per second, p50 in ms");
    for (name, [rates, p50]) in [("cutover", ours), ("oha", oha)] {
        println!("  {name:<8}{:9.0} {:8.3}", median(rates), median(p50));
    }
    Ok(())
}

/// The rate of oha and its p50 in milliseconds; `None` where it is absent.
fn run_oha(url: &str, arguments: &[&str]) -> Option<(f64, f64)> {
    let mut command = Command::new(std::env::var_os("OHA")?);
    command.args(["--no-tui", "-c", "64", "-z", "2s"]);
    let output = command.args(arguments).arg(url).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let after = |word: &str| {
        let rest = text.split(word).nth(1)?;
        let mut words = rest.split_whitespace();
        let value: f64 = words.find_map(|word| word.parse().ok())?;
        let unit = words.next().unwrap_or_default();
        Some(if unit.starts_with("sec") {
            value * 1e3
        } else {
            value
        })
    };
    let rate = text.split("Requests/sec:").nth(1)?;
    let rate = rate.split_whitespace().next()?.parse().ok()?;
    Some((rate, after("50.00% in")?))
}

/// The rate of wrk; `None` where it is absent.
fn run_wrk(url: &str) -> Option<f64> {
    let mut command = Command::new(std::env::var_os("WRK")?);
    let output = command.args(["-t1", "-c64", "-d2s", url]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let rest = text.split("Requests/sec:").nth(1)?;
    rest.split_whitespace().next()?.parse().ok()
}

fn closed(server: &TestServer) -> Measured<()> {
    let load = Load::new(Request::get(&server.url())?);
    let (mut ours, mut oha, mut wrk) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        ours.push(rate(&load.closed(DURATION, &Stop::default())?));
        oha.extend(run_oha(&server.url(), &[]).map(|(rate, _)| rate));
        wrk.extend(run_wrk(&server.url()));
    }
    println!("closed loop, requests per second (NaN: absent)");
    for (name, rates) in [("cutover", ours), ("oha", oha), ("wrk", wrk)] {
        println!("  {name:<8}{:9.0}", median(rates));
    }
    Ok(())
}
