//! How a fault decides on a piece, and answers in place of the dependency.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::piece::{Content, Cut, Piece};

/// Bytes that a fault sends to the client in place of the dependency.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    waiting: Mutex<VecDeque<Bytes>>,
    pub(crate) added: Notify,
}

impl Answers {
    fn add(&self, answer: Bytes) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(answer);
        self.added.notify_one();
    }

    pub(crate) fn take(&self) -> VecDeque<Bytes> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting)
    }
}

/// The way of a piece past one fault. What is not passed, held, or discarded is lost.
pub(crate) struct Flow<'a> {
    fault: u64,
    now: Instant,
    out: &'a mut Vec<Piece>,
    answers: &'a Answers,
    acted: bool,
}

impl<'a> Flow<'a> {
    pub(crate) fn new(
        fault: u64,
        now: Instant,
        out: &'a mut Vec<Piece>,
        answers: &'a Answers,
    ) -> Self {
        let acted = false;
        Self {
            fault,
            now,
            out,
            answers,
            acted,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Whether anything was changed.
    pub(crate) fn has_acted(&self) -> bool {
        self.acted
    }

    /// Forwards the piece unchanged.
    pub(crate) fn pass(&mut self, piece: Piece) {
        self.out.push(piece);
    }

    /// Forwards what was kept back.
    pub(crate) fn extend(&mut self, kept: Option<Content>) {
        let now = self.now;
        self.out
            .extend(kept.map(|content| Piece::new(content, now)));
    }

    /// Forwards the piece later, or when the fault is healed.
    pub(crate) fn hold(&mut self, mut piece: Piece, time: Duration) {
        piece.hold(self.fault, Some(time));
        self.acted = true;
        self.out.push(piece);
    }

    /// Forwards the piece when the fault is healed.
    pub(crate) fn hold_until_healed(&mut self, mut piece: Piece) {
        piece.hold(self.fault, None);
        self.acted = true;
        self.out.push(piece);
    }

    /// Does not forward the piece.
    pub(crate) fn discard(&mut self, piece: Piece) {
        drop(piece);
        self.acted = true;
    }

    /// Ends the connection after what was forwarded so far.
    pub(crate) fn cut(&mut self, how: Cut) {
        self.acted = true;
        self.out.push(Piece::new(Content::Cut(how), self.now));
    }

    /// Sends bytes to the client in place of the dependency.
    pub(crate) fn answer(&mut self, bytes: Bytes) {
        self.acted = true;
        self.answers.add(bytes);
    }
}
