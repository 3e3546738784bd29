//! A clock by which pieces leave one after the other, each after its own time.

use std::time::Duration;

use tokio::time::Instant;

use super::piece::Piece;

/// How far ahead of the clock pieces are read.
const AHEAD: Duration = Duration::from_millis(40);

/// When the next piece may leave.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    free: Option<Instant>,
    reads_from: Option<Instant>,
}

impl Pace {
    /// How long the piece must be held, if it takes `cost` to pass.
    pub(crate) fn hold(&mut self, piece: &Piece, cost: Duration) -> Duration {
        let due = piece.due();
        let start = self.free.map_or(due, |free| free.max(due));
        let hold = start + cost - due;
        self.free = Some(start + cost);
        // The hold alone, without what other faults add: those do not use up this clock.
        self.reads_from = (piece.arrived() + hold).checked_sub(AHEAD);
        hold
    }

    pub(crate) fn reads_from(&self) -> Option<Instant> {
        self.reads_from
    }
}
