//! The line for a check that has just finished.

use std::time::Duration;

use crate::record::{CheckId, Outcome};
use crate::render::Palette;
use crate::render::duration::human;
use crate::render::palette::TextRole;

/// The line for a check that has just finished, without a line break at its end.
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
    format!("  {word}  {duration}  {id}")
}
