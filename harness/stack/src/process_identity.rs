//! Identifies a process by PID and start time, because the system reuses PIDs.

use std::fs;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};

/// One process of this machine; a later process with the same PID has another identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The process id.
    pub pid: u32,
    /// The start time in clock ticks since boot; unknown on systems without `/proc`.
    pub started: Option<u64>,
}

impl ProcessIdentity {
    /// The process that has this PID now.
    pub fn from_pid(pid: u32) -> Self {
        Self {
            pid,
            started: Status::read(pid).map(|status| status.started),
        }
    }

    /// This process.
    pub fn current() -> Self {
        Self::from_pid(std::process::id())
    }

    /// Whether the process is running; a zombie is not.
    pub fn is_alive(self) -> bool {
        match (self.started, Status::read(self.pid)) {
            (Some(started), Some(now)) => now.started == started && !now.dead,
            (Some(_), None) => false,
            (None, _) => self
                .id()
                .is_some_and(|pid| matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM))),
        }
    }

    /// The processor time that it has used with its threads; zero where it cannot be read, and once it has exited.
    pub fn processor_time(self) -> Duration {
        let status = Status::read(self.pid).filter(|now| Some(now.started) == self.started);
        let ticks = status.map_or(0, |status| status.ticks);
        Duration::from_secs(ticks) / TICKS_PER_SECOND
    }

    /// The processor time of the processes that it has started and that have ended; zero where it cannot be read.
    pub fn processor_time_of_ended_children(self) -> Duration {
        let status = Status::read(self.pid).filter(|now| Some(now.started) == self.started);
        let ticks = status.map_or(0, |status| status.ticks_of_ended);
        Duration::from_secs(ticks) / TICKS_PER_SECOND
    }

    /// The processes that it has started and that are running; none where `/proc` cannot be read.
    pub fn children(self) -> Vec<Self> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let pids = text.split_whitespace().filter_map(|pid| pid.parse().ok());
        pids.map(Self::from_pid).collect()
    }

    /// Sends a signal to this process only; a process that has exited is not an error.
    pub(crate) fn signal(self, signal: Signal) -> rustix::io::Result<()> {
        if !self.is_alive() {
            return Ok(());
        }
        match self.id().map(|pid| kill_process(pid, signal)) {
            None | Some(Ok(()) | Err(Errno::SRCH)) => Ok(()),
            Some(Err(errno)) => Err(errno),
        }
    }

    fn id(self) -> Option<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
    }
}

/// The clock ticks of `/proc` in a second: the same on every Linux that Rust runs on.
const TICKS_PER_SECOND: u32 = 100;

/// The fields of `/proc/<pid>/stat` that are used here.
struct Status {
    started: u64,
    dead: bool,
    /// The processor time, in clock ticks.
    ticks: u64,
    /// The processor time of the processes that it started and that have ended, in clock ticks.
    ticks_of_ended: u64,
}

impl Status {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The program name, in parentheses, may contain spaces and parentheses; the fields follow the last one.
    fn parse(stat: &str) -> Option<Self> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let in_user_mode: u64 = fields.nth(10)?.parse().ok()?;
        let in_kernel_mode: u64 = fields.next()?.parse().ok()?;
        let ended_in_user_mode: u64 = fields.next()?.parse().ok()?;
        let ended_in_kernel_mode: u64 = fields.next()?.parse().ok()?;
        Some(Self {
            started: fields.nth(4)?.parse().ok()?,
            dead: matches!(state, "Z" | "X"),
            ticks: in_user_mode + in_kernel_mode,
            ticks_of_ended: ended_in_user_mode + ended_in_kernel_mode,
        })
    }
}

/// The scope in which PIDs are unique: one boot and one PID namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PidScope {
    pub(crate) boot: Option<String>,
    pub(crate) namespace: Option<String>,
}

impl PidScope {
    /// The scope of this process.
    pub(crate) fn current() -> Self {
        Self {
            boot: fs::read_to_string("/proc/sys/kernel/random/boot_id")
                .ok()
                .map(|id| id.trim().to_owned()),
            namespace: fs::read_link("/proc/self/ns/pid")
                .ok()
                .map(|link| link.to_string_lossy().into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn this_process_is_alive() {
        assert!(ProcessIdentity::current().is_alive());
    }

    #[test]
    fn a_later_process_with_the_same_pid_is_a_different_process() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let identity = ProcessIdentity::from_pid(child.id());
        let earlier = ProcessIdentity {
            started: identity.started.map(|ticks| ticks - 1),
            ..identity
        };
        if earlier.started.is_some() {
            earlier.signal(Signal::KILL).expect("no signal is sent");
            assert!(!earlier.is_alive());
            assert!(identity.is_alive());
        }
        identity.signal(Signal::KILL).expect("signal");
        child.wait().expect("wait");
        assert!(!identity.is_alive());
    }

    #[test]
    fn a_program_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b (c)) T 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4711 8 9";
        let status = Status::parse(stat).expect("a status");
        assert_eq!(status.started, 4711);
        assert!(!status.dead);
    }
}
