//! One direction of a connection: reads, lets faults decide, and writes when it is time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::connection::Connection;
use super::slots::Slots;
use crate::faults::Direction;
use crate::injected::{FaultSet, Injected};
use crate::stream::{Content, Cut, DelayLine, HALF_TICK, Piece};

/// The size of the buffer of one direction, in bytes.
const BUFFER: usize = 64 * 1024;

/// One direction of a connection.
pub(super) struct Pump<'a> {
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    direction: Direction,
    connection: &'a Connection,
    set: &'a Arc<FaultSet>,
    changes: watch::Receiver<Vec<Arc<Injected>>>,
    slots: Slots<'a>,
    line: DelayLine,
    buffer: BytesMut,
    counter: &'a AtomicU64,
    /// Whether `from` may have more.
    open: bool,
    /// Whether `to` has gone, which a fault hides.
    gone: bool,
}

/// What a wait has brought.
enum Event {
    Read(std::io::Result<usize>),
    Written(std::io::Result<usize>),
    Other,
}

impl<'a> Pump<'a> {
    pub(super) fn new(
        from: ReadHalf<'a>,
        to: WriteHalf<'a>,
        direction: Direction,
        connection: &'a Connection,
        set: &'a Arc<FaultSet>,
        counter: &'a AtomicU64,
    ) -> Self {
        let mut changes = set.subscribe();
        changes.mark_changed();
        Self {
            from,
            to,
            direction,
            connection,
            set,
            changes,
            slots: Slots::new(connection, direction),
            line: DelayLine::default(),
            buffer: BytesMut::new(),
            counter,
            open: true,
            gone: false,
        }
    }

    /// Forwards until the end of the direction; an error is the end of the connection.
    pub(super) async fn run(mut self) -> Result<(), Cut> {
        while self.open || !self.line.is_empty() {
            self.update();
            if self.slots.is_empty() && self.line.is_empty() && !self.gone {
                self.pass_through().await?;
            } else {
                self.step().await?;
            }
        }
        Ok(())
    }

    fn update(&mut self) {
        if self.changes.has_changed().unwrap_or(false) {
            let faults = self.changes.borrow_and_update().clone();
            self.slots.update(&faults, &mut self.line);
        }
    }

    /// Forwards without faults, until one is injected.
    async fn pass_through(&mut self) -> Result<(), Cut> {
        loop {
            self.buffer.clear();
            self.buffer.reserve(BUFFER);
            let read = tokio::select! {
                biased;
                read = self.from.read_buf(&mut self.buffer) => read.map_err(|_| Cut::Reset)?,
                _ = self.changes.changed() => {
                    self.changes.mark_changed();
                    return Ok(());
                }
                () = self.connection.answers.added.notified(), if self.is_answered() => {
                    self.take_answers();
                    return Ok(());
                }
            };
            if read == 0 || self.changes.has_changed().unwrap_or(false) {
                self.arrived(read);
                return Ok(());
            }
            self.connection.carry(read);
            self.connection.begins_request(self.direction);
            let mut written = 0;
            while written < read {
                tokio::select! {
                    biased;
                    more = self.to.write(&self.buffer[written..]) => {
                        let more = more.map_err(|_| Cut::Reset)?;
                        self.counter.fetch_add(more as u64, Ordering::Relaxed);
                        written += more;
                    }
                    _ = self.changes.changed() => {
                        let rest = Bytes::copy_from_slice(&self.buffer[written..]);
                        self.buffer.clear();
                        self.line.push(Piece::new(Content::Bytes(rest), Instant::now()));
                        self.changes.mark_changed();
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Waits for the next thing to do with faults, and does it.
    async fn step(&mut self) -> Result<(), Cut> {
        let now = Instant::now();
        let cut = self.slots.cut();
        if let Some((cut, injected)) = cut
            && cut.at <= now + HALF_TICK
        {
            self.connection.touch(injected);
            return Err(cut.how);
        }
        if self.gone && !self.slots.hides_close() {
            return Err(Cut::Reset);
        }
        let reads_from = self.slots.reads_from();
        let reads_from = reads_from.filter(|from| *from > now + HALF_TICK);
        let reads = self.open && reads_from.is_none() && self.line.has_room(now);
        let cut = cut.map(|(cut, _)| cut.at);
        let wake = match self.line.ready(now) {
            Some(_) => cut,
            None => [cut, self.line.due(), reads_from]
                .into_iter()
                .flatten()
                .min(),
        };
        let head = match self.line.ready(now) {
            Some(Content::Bytes(bytes)) => Some(bytes.clone()),
            Some(Content::End) => return self.end().await,
            Some(Content::Cut(how)) => return Err(*how),
            None => None,
        };
        match self.wait(head, reads, wake).await {
            Event::Read(Ok(read)) => self.arrived(read),
            Event::Read(Err(_)) => self.broken(),
            Event::Written(Ok(written)) => {
                self.counter.fetch_add(written as u64, Ordering::Relaxed);
                self.line.advance(written);
            }
            Event::Written(Err(_)) if self.slots.hides_close() => self.gone = true,
            Event::Written(Err(_)) => return Err(Cut::Reset),
            Event::Other => {}
        }
        Ok(())
    }

    async fn wait(&mut self, head: Option<Bytes>, reads: bool, wake: Option<Instant>) -> Event {
        if let Some(head) = &head
            && self.gone
        {
            // Nobody receives it, and a fault hides that.
            self.line.advance(head.len());
            return Event::Other;
        }
        let answered = self.is_answered();
        let writes = head.is_some();
        let wake = wake.map(|wake| wake - HALF_TICK);
        if reads {
            self.buffer.reserve(BUFFER);
        }
        tokio::select! {
            biased;
            _ = self.changes.changed() => {
                self.changes.mark_changed();
                Event::Other
            }
            () = self.connection.answers.added.notified(), if answered => {
                self.take_answers();
                Event::Other
            }
            written = self.to.write(head.as_deref().unwrap_or_default()), if writes => {
                Event::Written(written)
            }
            read = self.from.read_buf(&mut self.buffer), if reads => Event::Read(read),
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => Event::Other,
        }
    }

    /// Whether faults may send bytes in this direction.
    fn is_answered(&self) -> bool {
        self.direction == Direction::FromUpstream
    }

    fn take_answers(&mut self) {
        for answer in self.connection.answers.take() {
            self.connection.begins_request(self.direction);
            self.line
                .push(Piece::new(Content::Bytes(answer), Instant::now()));
        }
    }

    /// Lets faults decide on bytes in the buffer, or on the end of the stream.
    fn arrived(&mut self, read: usize) {
        if read == 0 {
            return self.ended(Content::End);
        }
        let before = self.connection.carry(read);
        if self.connection.begins_request(self.direction) {
            self.update();
            for injected in self.slots.triggered_by_request() {
                self.set.activate(&injected);
            }
        }
        self.update();
        let piece = Piece::new(Content::Bytes(self.take_buffer()), Instant::now());
        self.slots.shape(piece, before, &mut self.line);
    }

    /// Takes the bytes out of the buffer. Few are copied, so that they do not occupy all of it.
    fn take_buffer(&mut self) -> Bytes {
        if self.buffer.len() >= BUFFER / 4 {
            return self.buffer.split().freeze();
        }
        let bytes = Bytes::copy_from_slice(&self.buffer);
        self.buffer.clear();
        bytes
    }

    /// The sender has reset the connection; bytes before that are still forwarded.
    fn broken(&mut self) {
        self.ended(Content::Cut(Cut::Reset));
    }

    fn ended(&mut self, content: Content) {
        self.open = false;
        self.update();
        let piece = Piece::new(content, Instant::now());
        self.slots
            .shape(piece, self.connection.carried(), &mut self.line);
    }

    async fn end(&mut self) -> Result<(), Cut> {
        self.line.advance(0);
        if self.gone || self.to.shutdown().await.is_ok() || self.slots.hides_close() {
            return Ok(());
        }
        Err(Cut::Reset)
    }
}
