//! What every output has in common: it is a function of the record and the verdict.

use crate::record::Run;
use crate::verdict::Verdict;

/// One way to show a run and its verdict.
pub trait Render {
    /// The whole output.
    fn render(&self, run: &Run, verdict: &Verdict) -> String;
}
