//! The table of report files, and writing them beside the record of a run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{
    FaultMatrix, Html, Json, Junit, Markdown, Measurements, ReportFile, Resources, Sarif, Timelines,
};
use crate::record::Run;
use crate::verdict::Verdict;

/// The report files, in the order of writing. The verdict is the last one: if it exists, the others
/// are complete.
pub const OUTPUTS: &[&dyn ReportFile] = &[
    &Junit,
    &Markdown,
    &Html,
    &FaultMatrix,
    &Timelines,
    &Measurements,
    &Resources,
    &Sarif,
    &Json,
];

/// A report file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("write report '{}'; check the free disk space and the permissions", path.display())]
pub struct RenderError {
    path: PathBuf,
    source: io::Error,
}

/// Writes every report file of a run into its directory, and returns the paths.
pub fn write_all(dir: &Path, run: &Run, verdict: &Verdict) -> Result<Vec<PathBuf>, RenderError> {
    let write = |output: &dyn ReportFile| {
        let path = dir.join(output.file_name());
        match replace(&path, &output.render(run, verdict)) {
            Ok(()) => Ok(path),
            Err(source) => Err(RenderError { path, source }),
        }
    };
    outputs_of(run).map(write).collect()
}

/// The report files that a run has.
pub(super) fn outputs_of(run: &Run) -> impl Iterator<Item = &'static dyn ReportFile> {
    let outputs = OUTPUTS.iter().copied();
    outputs.filter(|output| output.applies_to(run))
}

/// Replaces a file atomically, so that no reader sees a part of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_added_extension("unfinished");
    fs::write(&unfinished, text)?;
    fs::rename(&unfinished, path)
}
