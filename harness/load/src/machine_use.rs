//! What the machine and the load generator itself used during a load.

use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What was used between two times.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MachineUse {
    /// The share of the processor time that other virtual machines took; `None` if it cannot be read.
    pub stolen: Option<f64>,
    /// The processor time of this process as a share of one core; `None` if it is not known.
    pub core_share: Option<f64>,
}

/// The start of a load.
#[derive(Clone, Copy, Debug)]
pub struct MachineUseStart {
    at: Instant,
    used: Duration,
    ticks: Option<Ticks>,
}

/// The counters of all processors together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    stolen: u64,
    total: u64,
}

impl MachineUseStart {
    /// Reads the counters.
    pub fn now() -> Self {
        Self {
            at: Instant::now(),
            used: used(),
            ticks: read_ticks(),
        }
    }

    /// What was used since then.
    pub fn finish(&self) -> MachineUse {
        let elapsed = self.at.elapsed().as_secs_f64();
        let used = used().saturating_sub(self.used).as_secs_f64();
        let ticks = self.ticks.zip(read_ticks());
        MachineUse {
            stolen: ticks.and_then(|(before, after)| stolen(before, after)),
            core_share: (elapsed > 0.0).then(|| used / elapsed),
        }
    }
}

/// The processor time of this process.
fn used() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = used.tv_sec.try_into().unwrap_or_default();
    Duration::new(seconds, used.tv_nsec.try_into().unwrap_or_default())
}

/// The counters of Linux; `None` on other systems.
fn read_ticks() -> Option<Ticks> {
    ticks(&fs::read_to_string("/proc/stat").ok()?)
}

/// Its first line: user, nice, system, idle, iowait, irq, softirq and steal. Guests are part of user.
fn ticks(stat: &str) -> Option<Ticks> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields = fields.split_whitespace().take(8).map(str::parse);
    let fields: Vec<u64> = fields.collect::<Result<_, _>>().ok()?;
    Some(Ticks {
        stolen: *fields.get(7)?,
        total: fields.iter().sum(),
    })
}

fn stolen(before: Ticks, after: Ticks) -> Option<f64> {
    let total = after.total.saturating_sub(before.total);
    let stolen = after.stolen.saturating_sub(before.stolen);
    let exact = crate::pacer::exact;
    (total > 0).then(|| exact(stolen) / exact(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_stolen_time_is_read() {
        let before = ticks("cpu  10 0 10 70 0 0 0 10 5 0\ncpu0 1").unwrap();
        let after = ticks("cpu  20 0 20 130 0 0 0 30 5 0\n").unwrap();
        assert_eq!((before.stolen, before.total), (10, 100));
        assert_eq!(stolen(before, after), Some(0.2));
        assert_eq!(stolen(before, before), None);
        assert_eq!(ticks("cpu  1 2 3"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn a_process_that_computes_uses_its_core() {
        let start = MachineUseStart::now();
        let until = Instant::now() + Duration::from_millis(50);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        assert!(start.finish().core_share.unwrap() > 0.05);
    }
}
