//! Reads the logs of services.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The maximum number of bytes that are read from a log at once.
const MAX_READ: u64 = 4 << 20;

/// The length of the log in bytes.
pub(crate) fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

/// The log from byte `from` to its end, or the last part of it if that is too long.
///
/// An unreadable log counts as empty: it is only shown as a detail of an error.
pub(crate) fn since(path: &Path, from: u64) -> String {
    let read = || {
        let mut file = File::open(path)?;
        let newest = file.metadata()?.len().saturating_sub(MAX_READ);
        file.seek(SeekFrom::Start(from.max(newest)))?;
        let mut bytes = Vec::new();
        file.take(MAX_READ).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// The last lines written since byte `from`.
pub(crate) fn tail(path: &Path, from: u64, lines: usize) -> String {
    last_lines(&since(path, from), lines)
}

/// The last lines of a text.
pub(crate) fn last_lines(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_contains_the_last_lines_after_a_position() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.log");
        assert_eq!(tail(&path, 0, 3), "");
        std::fs::write(&path, "one\ntwo\nthree\n").expect("write");
        assert_eq!(tail(&path, 0, 2), "two\nthree");
        assert_eq!(tail(&path, 8, 2), "three");
        assert_eq!(tail(&path, 99, 2), "");
    }
}
