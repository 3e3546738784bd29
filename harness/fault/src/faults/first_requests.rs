//! The first HTTP requests are answered by a status, in place of the dependency.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Behaviour, Direction, EffectContext, FaultEffect, FaultError};
use crate::stream::{Content, Cut, Flow, Head, Piece, RequestHead};

/// Answers the first HTTP/1.1 requests of the link and asks the client to close the connection.
/// They do not reach the dependency. Other bytes pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstRequests {
    /// Requests that are answered, on all connections together: 1 to 10^9.
    pub requests: u64,
    /// The status of the answer: 200 to 599.
    pub status: u16,
    /// The seconds of a `Retry-After` header.
    #[serde(default)]
    pub retry_after_s: Option<u64>,
}

/// Where the stream of a client is.
enum Position {
    /// In the head of a request, whose bytes are kept.
    Head(BytesMut),
    /// In the body of a request that was answered, with the number of bytes that are to come, or after it.
    Body { left: u64 },
    /// In something else, which passes.
    Elsewhere,
}

struct Answer {
    fault: FirstRequests,
    answered: Arc<AtomicU64>,
    position: Position,
}

impl Behaviour for FirstRequests {
    fn name(&self) -> &'static str {
        "first_requests"
    }

    fn check(&self) -> Result<(), FaultError> {
        FaultError::check(self.name(), "requests", self.requests, 1..=1_000_000_000)?;
        FaultError::check(self.name(), "status", self.status, 200..=599)
    }

    fn effect(&self, place: &EffectContext) -> Option<Box<dyn FaultEffect>> {
        (place.direction == Direction::ToUpstream).then(|| {
            Box::new(Answer {
                fault: self.clone(),
                answered: Arc::clone(&place.count),
                position: Position::Head(BytesMut::new()),
            }) as Box<dyn FaultEffect>
        })
    }
}

impl FaultEffect for Answer {
    fn shape(&mut self, piece: Piece, flow: &mut Flow<'_>) {
        match &mut self.position {
            Position::Elsewhere => flow.pass(piece),
            Position::Body { .. } if piece.is_end() => flow.pass(piece),
            Position::Head(_) if piece.is_end() => {
                flow.extend(self.kept());
                flow.pass(piece);
            }
            Position::Head(kept) => {
                kept.extend_from_slice(piece.bytes());
                let kept = std::mem::take(kept);
                self.head(kept, piece, flow);
            }
            Position::Body { left } => {
                let before = *left;
                *left = left.saturating_sub(piece.len() as u64);
                let complete = before > 0 && *left == 0;
                flow.discard(piece);
                if complete {
                    flow.answer(self.fault.answer());
                }
            }
        }
    }

    fn kept(&mut self) -> Option<Content> {
        match std::mem::replace(&mut self.position, Position::Elsewhere) {
            Position::Head(kept) if kept.is_empty() => None,
            Position::Head(kept) => Some(Content::Bytes(kept.freeze())),
            // The dependency does not know the request whose rest the client may send.
            Position::Body { .. } => Some(Content::Cut(Cut::Close)),
            Position::Elsewhere => None,
        }
    }
}

impl Answer {
    /// Decides on the bytes since the beginning of a request, of which `piece` are the last.
    fn head(&mut self, kept: BytesMut, mut piece: Piece, flow: &mut Flow<'_>) {
        let head = RequestHead::read(&kept);
        if matches!(head, Head::Incomplete) {
            piece.content = Content::Bytes(Bytes::new());
            self.position = Position::Head(kept);
            return flow.discard(piece);
        }
        let Head::Complete(head) = head else {
            return self.pass(kept, piece, flow);
        };
        if self.answered.fetch_add(1, Ordering::AcqRel) >= self.fault.requests {
            return self.pass(kept, piece, flow);
        }
        let body = (kept.len() - head.size) as u64;
        let left = head.body.saturating_sub(body);
        self.position = Position::Body { left };
        flow.discard(piece);
        if left == 0 {
            flow.answer(self.fault.answer());
        }
    }

    fn pass(&mut self, kept: BytesMut, mut piece: Piece, flow: &mut Flow<'_>) {
        self.position = Position::Elsewhere;
        piece.content = Content::Bytes(kept.freeze());
        flow.pass(piece);
    }
}

impl FirstRequests {
    fn answer(&self) -> Bytes {
        let retry = self.retry_after_s;
        let retry = retry.map_or(String::new(), |s| format!("retry-after: {s}\r\n"));
        let status = self.status;
        let answer =
            format!("HTTP/1.1 {status} \r\n{retry}connection: close\r\ncontent-length: 0\r\n\r\n");
        Bytes::from(answer)
    }
}
