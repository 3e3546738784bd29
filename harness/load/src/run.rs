//! One thread that sends the requests of a load when they are due, and reads the responses.
//!
//! The thread waits for the next time and for all connections at once, so that no other thread must
//! wake between a due time and its request, nor between a response and its record.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};
use rustix::io::Errno;

use crate::connection::Connection;
use crate::hit::{Hit, HitOutcome};
use crate::request::Message;
use crate::source::Source;
use crate::{Load, LoadError, Report, SeriesError, Stop};

/// A wait ends about this much late on Linux, so it is asked to end that much earlier.
const WAIT_EXCESS: Duration = Duration::from_micros(70);

/// The longest wait, after which the stop flag is read.
const SLICE: Duration = Duration::from_millis(20);

/// The longest time to open all connections before the start.
const OPENING_LIMIT: Duration = Duration::from_secs(1);

/// The server may have closed a connection that was idle for longer.
const FRESH: Duration = Duration::from_micros(100);

/// The bytes that are read at once.
const INPUT: usize = 64 * 1024;

/// A request in flight.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    intended: Duration,
    sent: Duration,
    generator_lag: Duration,
}

/// A connection, and its request.
#[derive(Debug, Default)]
struct Slot {
    connection: Connection,
    request: Option<InFlight>,
    idle_since: Duration,
}

/// A load that is running.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    load: &'a Load,
    source: Source<'a>,
    message: Message,
    report: Report,
    slots: Vec<Slot>,
    /// The slots without a request, longest idle first.
    idle: VecDeque<usize>,
    /// The slots with a request.
    busy: Vec<usize>,
    /// No request in flight has a deadline before this time.
    deadline: Option<Duration>,
    input: Vec<u8>,
    start: Instant,
}

impl<'a> Run<'a> {
    pub(crate) fn new(load: &'a Load, source: Source<'a>) -> Result<Self, LoadError> {
        if load.connections == 0 {
            return Err(LoadError::NoConnection);
        }
        if load.timeout.is_zero() {
            return Err(LoadError::NoTimeout);
        }
        Ok(Self {
            load,
            source,
            message: load.request.message(),
            report: Report::new(&load.phase_ends)?,
            slots: (0..load.connections).map(|_| Slot::default()).collect(),
            idle: (0..load.connections).collect(),
            busy: Vec::new(),
            deadline: None,
            input: vec![0; INPUT],
            start: Instant::now(),
        })
    }

    /// Sends the load until every request has an outcome, the time to drain is over, or a stop.
    pub(crate) fn execute(mut self, stop: &Stop) -> Result<Report, LoadError> {
        self.connect(stop)?;
        self.start = Instant::now();
        let mut cut = None;
        while !stop.is_asked() {
            let now = self.now();
            self.source.release(now, &mut self.report)?;
            self.dispatch()?;
            if self.source.is_over(now) {
                let cut = *cut.get_or_insert(now.saturating_add(self.load.drain));
                let is_done = self.busy.is_empty() && !self.source.is_waiting();
                if is_done || now >= cut {
                    break;
                }
            }
            self.expire(now)?;
            self.wait(now, cut)?;
        }
        self.settle()?;
        Ok(self.report)
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Opens all connections, so that the first requests do not wait for that. One that fails is opened
    /// again for its first request, which accounts for it.
    fn connect(&mut self, stop: &Stop) -> Result<(), LoadError> {
        let limit = OPENING_LIMIT.min(self.load.timeout);
        for slot in &mut self.slots {
            if slot.connection.open(self.message.address).is_err() {
                slot.connection.close();
            }
        }
        loop {
            let indices = 0..self.slots.len();
            let opening = indices.filter(|index| self.slots[*index].connection.is_opening());
            let opening: Vec<usize> = opening.collect();
            if opening.is_empty() {
                return Ok(());
            }
            if self.now() >= limit || stop.is_asked() {
                for index in opening {
                    self.slots[index].connection.close();
                }
                return Ok(());
            }
            for place in self.ready(&opening, SLICE)? {
                let connection = &mut self.slots[opening[place]].connection;
                if connection.finish_opening().is_err() {
                    connection.close();
                }
            }
        }
    }

    /// Sends what is due, on the connections that are idle.
    fn dispatch(&mut self) -> Result<(), LoadError> {
        for _ in 0..self.idle.len() {
            let now = self.now();
            let Some(intended) = self.source.take(now, &mut self.report)? else {
                break;
            };
            let Some(index) = self.idle.pop_front() else {
                break;
            };
            self.send(index, intended)?;
        }
        Ok(())
    }

    fn send(&mut self, index: usize, intended: Duration) -> Result<(), LoadError> {
        let sent = self.now();
        let slot = &mut self.slots[index];
        if sent > slot.idle_since + FRESH {
            slot.connection.close_if_ended();
        }
        slot.request = Some(InFlight {
            intended,
            sent,
            generator_lag: sent.saturating_sub(intended.max(slot.idle_since)),
        });
        if let Some(outcome) = slot.connection.send(&self.message, &mut self.input) {
            self.finish(index, outcome)?;
        } else {
            self.busy.push(index);
            let deadline = sent.saturating_add(self.load.timeout);
            self.deadline.get_or_insert(deadline);
        }
        Ok(())
    }

    /// Records the outcome of the request on a connection, which is idle then.
    fn finish(&mut self, index: usize, outcome: HitOutcome) -> Result<(), SeriesError> {
        let done = self.now();
        let slot = &mut self.slots[index];
        slot.idle_since = done;
        self.idle.push_back(index);
        match slot.request.take() {
            Some(request) => self.record(request, done, outcome),
            None => Ok(()),
        }
    }

    fn record(
        &mut self,
        request: InFlight,
        done: Duration,
        outcome: HitOutcome,
    ) -> Result<(), SeriesError> {
        self.report.record(&Hit {
            intended: request.intended,
            sent: request.sent,
            done,
            generator_lag: request.generator_lag,
            outcome,
        })
    }

    /// Gives up the requests that are past their deadline.
    fn expire(&mut self, now: Duration) -> Result<(), LoadError> {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return Ok(());
        }
        self.deadline = None;
        for place in (0..self.busy.len()).rev() {
            let index = self.busy[place];
            let sent = self.slots[index].request.map(|request| request.sent);
            let deadline = sent.unwrap_or_default().saturating_add(self.load.timeout);
            if deadline <= now {
                self.busy.swap_remove(place);
                self.slots[index].connection.close();
                self.finish(index, HitOutcome::TimedOut)?;
            } else {
                self.deadline = Some(self.deadline.map_or(deadline, |it| it.min(deadline)));
            }
        }
        Ok(())
    }

    /// Waits until a connection is ready or something is due, and goes on with what is ready.
    fn wait(&mut self, now: Duration, cut: Option<Duration>) -> Result<(), LoadError> {
        let times = [self.source.next(), self.deadline, cut];
        let until = times.into_iter().flatten().min();
        let left = until.map_or(SLICE, |until| until.saturating_sub(now).min(SLICE));
        let left = left.saturating_sub(WAIT_EXCESS);
        if self.busy.is_empty() && left.is_zero() {
            std::hint::spin_loop();
            return Ok(());
        }
        // A slot that finishes leaves its place to the last one, which is seen already.
        for place in self.ready(&self.busy, left)?.into_iter().rev() {
            let index = self.busy[place];
            let connection = &mut self.slots[index].connection;
            if let Some(outcome) = connection.advance(&self.message, &mut self.input) {
                self.busy.swap_remove(place);
                self.finish(index, outcome)?;
            }
        }
        Ok(())
    }

    /// The places in a list of slots whose connections are ready, in order.
    fn ready(&self, indices: &[usize], limit: Duration) -> Result<Vec<usize>, LoadError> {
        let mut places = Vec::with_capacity(indices.len());
        let mut sockets = Vec::with_capacity(indices.len());
        for (place, index) in indices.iter().enumerate() {
            let interest = self.slots[*index].connection.interest(&self.message);
            if let Some(socket) = interest {
                places.push(place);
                sockets.push(socket);
            }
        }
        let limit = Timespec {
            tv_sec: limit.as_secs().try_into().unwrap_or_default(),
            tv_nsec: limit.subsec_nanos().into(),
        };
        match poll(&mut sockets, Some(&limit)) {
            Ok(0) | Err(Errno::INTR) => return Ok(Vec::new()),
            Ok(_) => {}
            Err(error) => return Err(LoadError::Wait(error.into())),
        }
        let mut sockets = sockets.iter();
        places.retain(|_| sockets.next().is_some_and(|it| !it.revents().is_empty()));
        Ok(places)
    }

    /// Records what has no outcome at the end.
    fn settle(&mut self) -> Result<(), SeriesError> {
        let end = self.now();
        for index in std::mem::take(&mut self.busy) {
            self.finish(index, HitOutcome::Unfinished)?;
        }
        for intended in self.source.drain() {
            let request = InFlight {
                intended,
                sent: end,
                generator_lag: Duration::ZERO,
            };
            self.record(request, end, HitOutcome::NeverSent)?;
        }
        Ok(())
    }
}
