//! The traits of renderers: a renderer is a function from a record and its verdict to a text.

use crate::record::Run;
use crate::verdict::Verdict;

/// A renderer of a run and its verdict.
pub trait Render {
    /// The whole output.
    fn render(&self, run: &Run, verdict: &Verdict) -> String;
}

/// A renderer whose output is a file in the run directory.
pub trait ReportFile: Render {
    /// The name of the file.
    fn file_name(&self) -> &'static str;

    /// Whether a run has it.
    fn applies_to(&self, _: &Run) -> bool {
        true
    }
}
