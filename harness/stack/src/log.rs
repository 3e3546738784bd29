//! Reads what a process wrote.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The most that is read of a log at once.
const MOST: u64 = 4 << 20;

/// How long the log is.
pub(crate) fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

/// What was written at or after byte `from`; the newest part of it when that is very much.
///
/// A log that cannot be read is empty: it is only ever shown beside an error.
pub(crate) fn since(path: &Path, from: u64) -> String {
    let read = || {
        let mut file = File::open(path)?;
        let newest = file.metadata()?.len().saturating_sub(MOST);
        file.seek(SeekFrom::Start(from.max(newest)))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes)?;
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
    fn the_tail_is_the_end_of_what_was_written_since() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.log");
        assert_eq!(tail(&path, 0, 3), "");
        std::fs::write(&path, "one\ntwo\nthree\n").expect("write");
        assert_eq!(tail(&path, 0, 2), "two\nthree");
        assert_eq!(tail(&path, 8, 2), "three");
        assert_eq!(tail(&path, 99, 2), "");
    }
}
