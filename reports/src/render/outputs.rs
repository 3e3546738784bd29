//! The table of report files, and writing them beside the record of a run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{FaultMatrix, Json, Junit, Markdown, ReportFile};
use crate::record::Run;
use crate::verdict::Verdict;

/// The report files, in the order of writing. The verdict is the last one: if it exists, the others
/// are complete.
pub const OUTPUTS: &[&dyn ReportFile] = &[&Junit, &Markdown, &FaultMatrix, &Json];

/// A report file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write report '{}'; check the free disk space and the permissions", path.display())]
pub struct RenderError {
    path: PathBuf,
    source: io::Error,
}

/// Writes every report file that has a content into a run directory, and returns the paths.
pub fn write_all(dir: &Path, run: &Run, verdict: &Verdict) -> Result<Vec<PathBuf>, RenderError> {
    let write = |output: &&dyn ReportFile| {
        let path = dir.join(output.file_name());
        let text = output.render(run, verdict);
        if text.is_empty() {
            return None;
        }
        Some(match replace(&path, &text) {
            Ok(()) => Ok(path),
            Err(source) => Err(RenderError { path, source }),
        })
    };
    OUTPUTS.iter().filter_map(write).collect()
}

/// Replaces a file atomically, so that no reader sees a part of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_added_extension("unfinished");
    fs::write(&unfinished, text)?;
    fs::rename(&unfinished, path)
}
