//! The machine that runs the checks: results of different machines are not compared.

use std::fs;
use std::thread;

use cutover_reports::record::Machine;

/// This machine.
pub fn this_machine() -> Machine {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Machine {
        cpus: u32::try_from(cpus).unwrap_or(u32::MAX),
        model: model().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        os: format!("{} {}", std::env::consts::OS, kernel.trim())
            .trim()
            .to_owned(),
    }
}

/// The name of the processor, where the system tells it.
fn model() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.trim().to_owned())
}
