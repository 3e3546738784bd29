//! Runs oha and wrk, and reads their figures.

use std::process::Command;

/// The rate of oha and its p50 in milliseconds; `None` where it is absent.
pub(crate) fn oha(url: &str, arguments: &[&str]) -> Option<(f64, f64)> {
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
pub(crate) fn wrk(url: &str) -> Option<f64> {
    let mut command = Command::new(std::env::var_os("WRK")?);
    let output = command.args(["-t1", "-c64", "-d2s", url]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let rest = text.split("Requests/sec:").nth(1)?;
    rest.split_whitespace().next()?.parse().ok()
}
