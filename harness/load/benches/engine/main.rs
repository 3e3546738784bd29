//! Compares the load generator with oha and wrk, in interleaved rounds, and measures known results.
//!
//! Usage: `OHA=… WRK=… cargo bench -p cutover-load --bench engine`; a program that is absent takes no
//! part. `MEMORY_SECONDS=150` makes the measurement of memory longer. All of them load one server, which
//! is a process of its own with one thread.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod cost;
mod rivals;
mod server;

use std::error::Error;
use std::time::Duration;

use cutover_load::self_test;
use cutover_load::{Constant, Load, Report, Request, Stop};

use server::Server;

/// Rounds, in each of which every subject is measured once.
const ROUNDS: usize = 5;

/// How long each measurement lasts.
const DURATION: Duration = Duration::from_secs(2);

/// How long memory is measured, unless `MEMORY_SECONDS` says otherwise.
const MEMORY_SECONDS: u64 = 15;

type Measured<T> = Result<T, Box<dyn Error>>;

fn main() -> Measured<()> {
    if std::env::args().any(|argument| argument == server::ARGUMENT) {
        return server::serve();
    }
    let server = Server::start()?;
    for rate in [2_000.0, 10_000.0] {
        open(&server.url, rate)?;
    }
    closed(&server.url)?;
    costs(&server.url)?;
    for result in self_test::run_one_by_one() {
        println!(
            "{}: expected {:.2}, measured {:?}",
            result.what, result.expected, result.measured
        );
    }
    println!("  goals: error of the delay <= 0.25 ms, of the stall <= 5 %, and every request");
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

fn open(url: &str, asked: f64) -> Measured<()> {
    let load = Load::new(Request::get(url)?);
    let (mut ours, mut oha) = ([vec![], vec![]], [vec![], vec![]]);
    for _ in 0..ROUNDS {
        let report = load.open(&Constant::new(asked, DURATION)?, &Stop::default())?;
        let p50 = report.total()?.response.quantile(0.5);
        ours[0].push(rate(&report));
        ours[1].push(p50.map_or(f64::NAN, |p50| p50.value.as_secs_f64() * 1e3));
        let limit = format!("{asked}");
        let arguments = ["-q", &limit, "--latency-correction"];
        if let Some((rate, p50)) = rivals::oha(url, &arguments) {
            oha[0].push(rate);
            oha[1].push(p50);
        }
    }
    let [(ours, our_p50), (oha, oha_p50)] =
        [ours, oha].map(|[rates, p50]| (median(rates), median(p50)));
    println!("open loop, {asked} per second asked: per second, p50 in ms");
    println!("  cutover {ours:9.0} {our_p50:8.3}");
    println!("  oha     {oha:9.0} {oha_p50:8.3}");
    println!("  p50 / oha {:.2}, goal <= 0.5", our_p50 / oha_p50);
    Ok(())
}

fn closed(url: &str) -> Measured<()> {
    let load = Load::new(Request::get(url)?);
    let (mut ours, mut oha, mut wrk) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        ours.push(rate(&load.closed(DURATION, &Stop::default())?));
        oha.extend(rivals::oha(url, &[]).map(|(rate, _)| rate));
        wrk.extend(rivals::wrk(url));
    }
    let [ours, oha, wrk] = [ours, oha, wrk].map(median);
    println!("closed loop, requests per second (NaN: absent)");
    println!("  cutover {ours:9.0}\n  oha     {oha:9.0}\n  wrk     {wrk:9.0}");
    println!("  rate / oha {:.2}, goal >= 1.5", ours / oha);
    println!("  rate / wrk {:.2}, goal >= 0.8", ours / wrk);
    Ok(())
}

fn costs(url: &str) -> Measured<()> {
    println!("processor time of the generator, share of a core");
    for rate in [500.0, 2_000.0, 10_000.0] {
        let shares = (0..3).map(|_| cost::core_share(url, rate));
        let share = median(shares.collect::<Measured<_>>()?);
        println!("  {rate:>6} per second {:6.1} %", share * 1e2);
    }
    println!("  goal at 500 per second <= 10 %");
    let seconds = std::env::var("MEMORY_SECONDS").ok();
    let seconds = seconds.map_or(Ok(MEMORY_SECONDS), |seconds| seconds.parse())?;
    println!("most memory after a load of this many requests, goal <= 100 MB");
    for duration in [DURATION, Duration::from_secs(seconds)] {
        let (requests, megabytes) = cost::memory(url, duration)?;
        println!("  {requests:>9} requests {megabytes:7.1} MB");
    }
    Ok(())
}
