//! A piece of a stream, with the times for which faults hold it.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

/// How the proxy ends both sides of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// In an orderly way, with FIN.
    Close,
    /// With RST.
    Reset,
}

/// What a piece consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Bytes of the stream.
    Bytes(Bytes),
    /// The orderly end of this direction.
    End,
    /// The end of the connection.
    Cut(Cut),
}

/// How long one fault holds a piece; `None` is until it is healed.
#[derive(Clone, Copy, Debug)]
struct Hold {
    fault: u64,
    time: Option<Duration>,
}

/// A piece of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) content: Content,
    arrived: Instant,
    holds: Vec<Hold>,
}

impl Piece {
    pub(crate) fn new(content: Content, arrived: Instant) -> Self {
        Self {
            content,
            arrived,
            holds: Vec::new(),
        }
    }

    pub(crate) fn is_bytes(&self) -> bool {
        matches!(self.content, Content::Bytes(_))
    }

    pub(crate) fn is_end(&self) -> bool {
        !self.is_bytes()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Bytes(bytes) => bytes,
            Content::End | Content::Cut(_) => &[],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes().len()
    }

    pub(crate) fn arrived(&self) -> Instant {
        self.arrived
    }

    /// When the timed holds are over.
    pub(crate) fn due(&self) -> Instant {
        let holds = self.holds.iter().filter_map(|hold| hold.time);
        self.arrived + holds.sum::<Duration>()
    }

    /// When it may be forwarded; `None` while a fault holds it until it is healed.
    pub(crate) fn leaves(&self) -> Option<Instant> {
        let endless = self.holds.iter().any(|hold| hold.time.is_none());
        (!endless).then(|| self.due())
    }

    pub(crate) fn hold(&mut self, fault: u64, time: Option<Duration>) {
        self.holds.push(Hold { fault, time });
    }

    /// Ends what a healed fault has held.
    pub(crate) fn release(&mut self, fault: u64) {
        self.holds.retain(|hold| hold.fault != fault);
    }

    /// Takes the first `size` bytes away; `None` if nothing would be left.
    pub(crate) fn split_off_first(&mut self, size: usize) -> Option<Self> {
        match &mut self.content {
            Content::Bytes(bytes) if bytes.len() > size => Some(Self {
                content: Content::Bytes(bytes.split_to(size)),
                arrived: self.arrived,
                holds: self.holds.clone(),
            }),
            Content::Bytes(_) | Content::End | Content::Cut(_) => None,
        }
    }
}
