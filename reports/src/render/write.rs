//! Writing the report files of a run beside its record.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Json, Junit, Markdown, Render};
use crate::record::Run;
use crate::verdict::Verdict;

/// The verdict's file in a run directory.
pub const VERDICT_FILE: &str = "verdict.json";
/// The file for test dashboards in a run directory.
pub const JUNIT_FILE: &str = "junit.xml";
/// The page for people in a run directory.
pub const SUMMARY_FILE: &str = "summary.md";

/// Every report file. The verdict is the last one: if it exists, the others are complete.
const FILES: [(&str, &dyn Render); 3] = [
    (JUNIT_FILE, &Junit),
    (SUMMARY_FILE, &Markdown),
    (VERDICT_FILE, &Json),
];

/// A report file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write report '{}'; check the free disk space and the permissions", path.display())]
pub struct RenderError {
    path: PathBuf,
    source: io::Error,
}

/// Writes every report file into a run directory and returns the paths.
pub fn write_all(dir: &Path, run: &Run, verdict: &Verdict) -> Result<Vec<PathBuf>, RenderError> {
    let write = |(name, renderer): (&str, &dyn Render)| {
        let path = dir.join(name);
        match replace(&path, &renderer.render(run, verdict)) {
            Ok(()) => Ok(path),
            Err(source) => Err(RenderError { path, source }),
        }
    };
    FILES.into_iter().map(write).collect()
}

/// Replaces a file atomically, so that no reader sees a part of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_added_extension("unfinished");
    fs::write(&unfinished, text)?;
    fs::rename(&unfinished, path)
}
