//! Which process is meant: a pid alone is re-used, a pid with its start time is not.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};

/// One process of this machine, never its successor under the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The process id.
    pub pid: u32,
    /// When it started, in clock ticks since boot; unknown where there is no `/proc`.
    pub started: Option<u64>,
}

impl ProcessIdentity {
    /// The process that has this pid now.
    pub fn of(pid: u32) -> Self {
        Self {
            pid,
            started: Status::read(pid).map(|status| status.started),
        }
    }

    /// This process.
    pub fn me() -> Self {
        Self::of(std::process::id())
    }

    /// Whether the process is there and runs; one that has died but was not waited for does not.
    pub fn is_alive(self) -> bool {
        match (self.started, Status::read(self.pid)) {
            (Some(started), Some(now)) => now.started == started && !now.dead,
            (Some(_), None) => false,
            (None, _) => self
                .id()
                .is_some_and(|pid| matches!(test_kill_process(pid), Ok(()) | Err(Errno::PERM))),
        }
    }

    /// Sends a signal to the process, and to no other that took its pid. A process that is gone is no error.
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

/// What `/proc/<pid>/stat` says.
struct Status {
    started: u64,
    dead: bool,
}

impl Status {
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name, in parentheses, may hold spaces and parentheses of its own: what follows the last one counts.
    fn parse(stat: &str) -> Option<Self> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        Some(Self {
            started: fields.nth(18)?.parse().ok()?,
            dead: matches!(state, "Z" | "X"),
        })
    }
}

/// Where pids mean something: they are told apart per boot and per pid namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) boot: Option<String>,
    pub(crate) namespace: Option<String>,
}

impl World {
    /// The world of this process.
    pub(crate) fn here() -> Self {
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
        assert!(ProcessIdentity::me().is_alive());
    }

    #[test]
    fn a_later_process_with_the_same_pid_is_another() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        let mark = ProcessIdentity::of(child.id());
        let earlier = ProcessIdentity {
            started: mark.started.map(|ticks| ticks - 1),
            ..mark
        };
        if earlier.started.is_some() {
            earlier.signal(Signal::KILL).expect("nothing to signal");
            assert!(!earlier.is_alive());
            assert!(mark.is_alive());
        }
        mark.signal(Signal::KILL).expect("signal");
        child.wait().expect("wait");
        assert!(!mark.is_alive());
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b (c)) T 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4711 8 9";
        let status = Status::parse(stat).expect("a status");
        assert_eq!(status.started, 4711);
        assert!(!status.dead);
    }
}
