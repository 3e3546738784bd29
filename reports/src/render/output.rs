//! The trait of all renderers: a function from a record and its verdict to a text.

use crate::record::Run;
use crate::verdict::Verdict;

/// A renderer of a run and its verdict.
pub trait Render {
    /// The whole output.
    fn render(&self, run: &Run, verdict: &Verdict) -> String;
}
