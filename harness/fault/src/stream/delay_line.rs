//! The pieces of one direction that are not forwarded yet, in order.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Buf as _;
use tokio::time::Instant;

use super::piece::{Content, Piece};

/// Half a tick of the timer: waking so much early makes the error of a delay the same on both sides.
pub(crate) const HALF_TICK: Duration = Duration::from_micros(500);

/// The bytes that may wait for the receiver: more is not read, so that the sender slows down.
const DUE_LIMIT: usize = 256 * 1024;

/// The bytes that may wait for a time: what arrives within a long delay at a high rate.
const HELD_LIMIT: usize = 64 * 1024 * 1024;

/// What a piece occupies besides its bytes, about.
const PIECE: usize = 128;

/// Pieces in the order of their arrival. Only the first can leave, so order is never lost.
#[derive(Debug, Default)]
pub(crate) struct DelayLine {
    pieces: VecDeque<Piece>,
    bytes: usize,
}

impl DelayLine {
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub(crate) fn push(&mut self, piece: Piece) {
        self.bytes += piece.len() + PIECE;
        self.pieces.push_back(piece);
    }

    pub(crate) fn extend(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        pieces.into_iter().for_each(|piece| self.push(piece));
    }

    /// Ends what a healed fault has held.
    pub(crate) fn release(&mut self, fault: u64) {
        for piece in &mut self.pieces {
            piece.release(fault);
        }
    }

    /// When the first piece may leave.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.pieces.front()?.leaves()
    }

    /// The first piece, if it may leave.
    pub(crate) fn ready(&self, now: Instant) -> Option<&Content> {
        let first = self.pieces.front()?;
        (first.leaves()? <= now + HALF_TICK).then_some(&first.content)
    }

    /// Whether more may be read.
    pub(crate) fn has_room(&self, now: Instant) -> bool {
        let limit = match self.ready(now) {
            Some(_) => DUE_LIMIT,
            None => HELD_LIMIT,
        };
        self.bytes < limit
    }

    /// Removes bytes that were forwarded from the first piece.
    pub(crate) fn advance(&mut self, written: usize) {
        self.bytes -= written;
        if let Some(first) = self.pieces.front_mut()
            && let Content::Bytes(bytes) = &mut first.content
        {
            bytes.advance(written);
            if bytes.has_remaining() {
                return;
            }
        }
        self.bytes -= PIECE;
        self.pieces.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn piece(size: usize, now: Instant) -> Piece {
        Piece::new(Content::Bytes(Bytes::from(vec![0; size])), now)
    }

    #[test]
    fn a_later_piece_does_not_overtake_a_held_one() {
        let now = Instant::now();
        let mut line = DelayLine::default();
        let mut first = piece(1, now);
        first.hold(7, Some(Duration::from_secs(1)));
        line.push(first);
        line.push(piece(2, now));
        assert!(line.ready(now).is_none());
        line.release(7);
        assert_eq!(line.ready(now), Some(&piece(1, now).content));
        line.advance(1);
        assert_eq!(line.ready(now), Some(&piece(2, now).content));
    }

    #[test]
    fn holds_of_several_faults_add_up_and_end_one_by_one() {
        let now = Instant::now();
        let mut line = DelayLine::default();
        let mut first = piece(1, now);
        first.hold(1, Some(Duration::from_secs(2)));
        first.hold(2, Some(Duration::from_secs(3)));
        first.hold(3, None);
        line.push(first);
        assert_eq!(line.due(), None);
        line.release(3);
        assert_eq!(line.due(), Some(now + Duration::from_secs(5)));
        line.release(1);
        assert_eq!(line.due(), Some(now + Duration::from_secs(3)));
    }

    #[test]
    fn bytes_that_wait_for_the_receiver_are_limited_more_than_those_that_wait_for_a_time() {
        let now = Instant::now();
        let mut line = DelayLine::default();
        let mut first = piece(DUE_LIMIT, now);
        first.hold(1, Some(Duration::from_secs(1)));
        line.push(first);
        assert!(line.has_room(now));
        line.release(1);
        assert!(!line.has_room(now));
    }
}
