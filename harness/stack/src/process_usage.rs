//! What a process holds: open files, threads and memory.

use std::fs;

use crate::process_identity::ProcessIdentity;

/// What a process holds at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessUsage {
    /// Open file descriptors, those of connections included.
    pub open_files: u64,
    /// Threads.
    pub threads: u64,
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// The part of the resident memory that no other process has, in bytes.
    pub private_bytes: u64,
    /// The most resident memory so far, in bytes.
    pub peak_resident_bytes: u64,
}

impl ProcessUsage {
    /// What a process holds now; nothing if it has exited, or where `/proc` cannot be read.
    pub fn of(process: ProcessIdentity) -> Option<Self> {
        if !process.is_alive() {
            return None;
        }
        let directory = format!("/proc/{}", process.pid);
        let open_files = fs::read_dir(format!("{directory}/fd")).ok()?.count();
        let status = fs::read_to_string(format!("{directory}/status")).ok()?;
        Some(Self {
            open_files: open_files.try_into().ok()?,
            threads: field(&status, "Threads:")?,
            resident_bytes: field(&status, "VmRSS:")? * 1024,
            private_bytes: field(&status, "RssAnon:")? * 1024,
            peak_resident_bytes: field(&status, "VmHWM:")? * 1024,
        })
    }
}

/// The number in a line of `/proc/<pid>/status`.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn an_open_file_is_counted() {
        let usage = || ProcessUsage::of(ProcessIdentity::current()).expect("this process");
        let before = usage();
        let files: Vec<_> = (0..50)
            .map(|_| fs::File::open("/dev/null").expect("open"))
            .collect();
        let with_files = usage();
        assert!(
            with_files.open_files >= before.open_files + 40,
            "{with_files:?}"
        );
        drop(files);
        assert!(before.threads > 0 && before.resident_bytes > 0);
    }
}
