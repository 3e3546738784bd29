//! One line for a check that has just ended.

use std::time::Duration;

use crate::record::{CheckId, Outcome};
use crate::render::Palette;
use crate::render::palette::Tone;
use crate::render::span::spoken;

/// One line for a check that has just ended, without a line break.
pub fn check_line(id: &CheckId, outcome: &Outcome, duration: Duration, palette: Palette) -> String {
    let (word, tone) = match outcome {
        Outcome::Passed => ("ok", Tone::Good),
        Outcome::Failed => ("FAILED", Tone::Bad),
        Outcome::Errored { .. } => ("UNSURE", Tone::Unsure),
        Outcome::Skipped { .. } => ("skip", Tone::Quiet),
    };
    let word = palette.paint(tone, &format!("{word:<6}"));
    let took = palette.paint(Tone::Quiet, &format!("{:>6}", spoken(duration)));
    // The name comes last: names differ in length, and a long one may run on.
    format!("  {word}  {took}  {id}")
}
