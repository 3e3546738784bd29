//! The line for a check that has just finished.

use std::time::Duration;

use super::page::DEFAULT_WIDTH;
use super::wrap::wrap;
use crate::record::{CheckId, Outcome};
use crate::render::Palette;
use crate::render::duration::human;
use crate::render::palette::TextRole;

/// The width of the columns before the id.
const MARGIN: usize = 18;

/// The line for a check that has just finished, without a line break at its end. An id that is too
/// long continues on a second line.
pub fn check_line(id: &CheckId, outcome: &Outcome, duration: Duration, palette: Palette) -> String {
    let (word, role) = match outcome {
        Outcome::Passed => ("ok", TextRole::Success),
        Outcome::Failed => ("FAILED", TextRole::Failure),
        Outcome::Errored { .. } => ("ERROR", TextRole::NoResult),
        Outcome::Skipped { .. } => ("skip", TextRole::Muted),
    };
    let word = palette.paint(role, &format!("{word:<6}"));
    let duration = palette.paint(TextRole::Muted, &format!("{:>6}", human(duration)));
    // The id is last because its length varies.
    let id = wrap(id.as_str(), DEFAULT_WIDTH - MARGIN);
    let id = id.join(&format!("\n{}", " ".repeat(MARGIN)));
    format!("  {word}  {duration}  {id}")
}
