//! What the load generator itself uses: processor time and memory.

use std::fs;
use std::time::Duration;

use cutover_load::{Constant, Load, Request, Stop};
use rustix::time::{ClockId, clock_gettime};

use crate::Measured;

/// The processor time of this process, in seconds.
pub(crate) fn processor_seconds() -> Measured<f64> {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let nanoseconds = u32::try_from(used.tv_nsec)?;
    Ok(Duration::new(used.tv_sec.try_into()?, nanoseconds).as_secs_f64())
}

/// The share of a core that the load generator uses at a rate.
pub(crate) fn core_share(url: &str, rate: f64) -> Measured<f64> {
    let load = Load::new(Request::get(url)?);
    let before = processor_seconds()?;
    let report = load.open(
        &Constant::new(rate, Duration::from_secs(3))?,
        &Stop::default(),
    )?;
    Ok((processor_seconds()? - before) / report.elapsed.as_secs_f64())
}

/// The number of requests of a closed loop, and the most memory that this process has used, in MB.
pub(crate) fn memory(url: &str, duration: Duration) -> Measured<(u64, f64)> {
    let load = Load::new(Request::get(url)?);
    let report = load.closed(duration, &Stop::default())?;
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.ok_or("the system does not tell the most memory")?;
    let kilobytes: f64 = peak.trim().trim_end_matches("kB").trim().parse()?;
    Ok((report.account().ok, kilobytes / 1e3))
}
