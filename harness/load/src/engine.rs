//! Runs a load: a thread releases requests, and workers with a connection each send them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::hit::{Hit, HitOutcome};
use crate::queue::Queue;
use crate::release::release;
use crate::{Pacer, Report, Request, SeriesError, Stop};

/// How often the stop flag is read while requests are in flight.
const STOP_POLL: Duration = Duration::from_millis(20);

/// From the start of a load until its first request may be due.
const LEAD: Duration = Duration::from_millis(2);

/// A load that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no connection to use.
    #[error("run a load without connections")]
    NoConnection,
    /// A request has no time.
    #[error("run a load with a timeout of zero")]
    NoTimeout,
    /// A load in a closed loop has no duration.
    #[error("run a load with a duration of zero")]
    NoDuration,
    /// The system gives no thread or runtime.
    #[error("start the load generator")]
    Start(#[source] io::Error),
    /// A histogram cannot be built.
    #[error("record the load")]
    Series(#[from] SeriesError),
}

/// What a load sends, and how.
#[derive(Clone, Debug)]
pub struct Load {
    /// The request.
    pub request: Request,
    /// The number of connections, each of which has at most one request in flight.
    pub connections: usize,
    /// The longest time from sending a request to its response.
    pub timeout: Duration,
    /// How long requests may take after the last one was due.
    pub drain: Duration,
    /// When each phase ends, except the last.
    pub phase_ends: Vec<Duration>,
}

impl Load {
    /// A load with 64 connections, a timeout of 10 seconds and as long to drain.
    pub fn new(request: Request) -> Self {
        Self {
            request,
            connections: 64,
            timeout: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            phase_ends: Vec::new(),
        }
    }

    /// Sends each request when it is due, whether or not earlier ones were answered.
    pub fn open(&self, pacer: &dyn Pacer, stop: &Stop) -> Result<Report, LoadError> {
        let queue = Queue::new();
        let run = Run::new(self, Source::Queue(queue))?;
        run.execute(stop, Some(pacer))
    }

    /// Sends the next request on each connection as soon as the last was answered. A stall of the server
    /// hardly shows in the response times then: use it for comparison only.
    pub fn closed(&self, duration: Duration, stop: &Stop) -> Result<Report, LoadError> {
        if duration.is_zero() {
            return Err(LoadError::NoDuration);
        }
        Run::new(self, Source::BackToBack(duration))?.execute(stop, None)
    }
}

/// Where workers get requests from.
#[derive(Debug)]
enum Source {
    Queue(Queue),
    /// Until this time.
    BackToBack(Duration),
}

/// A request in flight.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    intended: Duration,
    sent: Duration,
    generator_lag: Duration,
}

/// A load that is running.
#[derive(Debug)]
struct Run {
    load: Load,
    source: Source,
    report: Mutex<Report>,
    in_flight: Mutex<Vec<Option<InFlight>>>,
    failure: Mutex<Option<SeriesError>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    fn new(load: &Load, source: Source) -> Result<Arc<Self>, LoadError> {
        if load.connections == 0 {
            return Err(LoadError::NoConnection);
        }
        if load.timeout.is_zero() {
            return Err(LoadError::NoTimeout);
        }
        Ok(Arc::new(Self {
            load: load.clone(),
            source,
            report: Mutex::new(Report::new(&load.phase_ends)?),
            in_flight: Mutex::new(vec![None; load.connections]),
            failure: Mutex::default(),
        }))
    }

    fn execute(
        self: Arc<Self>,
        stop: &Stop,
        pacer: Option<&dyn Pacer>,
    ) -> Result<Report, LoadError> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().map_err(LoadError::Start)?;
        let connections = runtime.block_on(self.connect(stop));
        let start = Instant::now() + LEAD;
        let finished = AtomicBool::new(false);
        thread::scope(|scope| {
            if let (Some(pacer), Source::Queue(queue)) = (pacer, &self.source) {
                let scheduled = |batch: &[Duration]| self.schedule(batch);
                let finished = &finished;
                let releasing = move || {
                    release(pacer, start, stop, queue, scheduled);
                    finished.store(true, Ordering::Release);
                };
                let spawned = thread::Builder::new().spawn_scoped(scope, releasing);
                spawned.map_err(LoadError::Start)?;
            }
            runtime.block_on(self.work(connections, start, stop, &finished));
            Ok::<_, LoadError>(())
        })?;
        // Ends what still runs on the connections.
        drop(runtime);
        self.settle(Instant::now().saturating_duration_since(start));
        if let Some(failure) = lock(&self.failure).take() {
            return Err(failure.into());
        }
        let report = lock(&self.report).clone();
        Ok(report)
    }

    /// Opens all connections, so that the first requests do not wait for that. One that fails is opened
    /// again for its first request, which accounts for it.
    async fn connect(&self, stop: &Stop) -> Vec<Connection> {
        let mut opening = JoinSet::new();
        for _ in 0..self.load.connections {
            let request = self.load.request.clone();
            let limit = self.load.timeout.min(Duration::from_secs(1));
            opening.spawn(async move {
                let mut connection = Connection::default();
                let opened = tokio::time::timeout(limit, connection.open(&request)).await;
                // The outcome is that of the first request.
                drop(opened);
                connection
            });
        }
        let mut connections = Vec::new();
        while connections.len() < self.load.connections && !stop.is_asked() {
            match tokio::time::timeout(STOP_POLL, opening.join_next()).await {
                Ok(Some(Ok(connection))) => connections.push(connection),
                Ok(None | Some(Err(_))) => break,
                Err(_) => {}
            }
        }
        connections.resize_with(self.load.connections, Connection::default);
        connections
    }

    /// Runs the workers until all requests have an outcome, or the time to drain is over.
    async fn work(
        self: &Arc<Self>,
        connections: Vec<Connection>,
        start: Instant,
        stop: &Stop,
        finished: &AtomicBool,
    ) {
        let mut workers = JoinSet::new();
        for (index, connection) in connections.into_iter().enumerate() {
            workers.spawn(Arc::clone(self).worker(index, connection, start));
        }
        let mut poll = tokio::time::interval(STOP_POLL);
        let mut drained_at = None;
        loop {
            tokio::select! {
                ended = workers.join_next() => if ended.is_none() { return },
                _ = poll.tick() => {}
            }
            let is_over = match self.source {
                Source::Queue(_) => finished.load(Ordering::Acquire),
                Source::BackToBack(duration) => start.elapsed() >= duration,
            };
            if is_over && drained_at.is_none() {
                drained_at = Some(Instant::now() + self.load.drain);
            }
            let is_cut = drained_at.is_some_and(|at| Instant::now() >= at);
            if stop.is_asked() || is_cut {
                return;
            }
        }
    }

    async fn worker(self: Arc<Self>, index: usize, mut connection: Connection, start: Instant) {
        let since_start = || Instant::now().saturating_duration_since(start);
        loop {
            let idle = since_start();
            let Some(intended) = self.next(start).await else {
                return;
            };
            let sent = since_start();
            let in_flight = InFlight {
                intended,
                sent,
                generator_lag: sent.saturating_sub(intended.max(idle)),
            };
            lock(&self.in_flight)[index] = Some(in_flight);
            let exchange = connection.exchange(&self.load.request);
            let outcome = tokio::time::timeout(self.load.timeout, exchange).await;
            let outcome = outcome.unwrap_or_else(|_| {
                connection.close();
                HitOutcome::TimedOut
            });
            lock(&self.in_flight)[index] = None;
            self.record(in_flight, since_start(), outcome);
        }
    }

    /// When the next request is due.
    async fn next(&self, start: Instant) -> Option<Duration> {
        match &self.source {
            Source::Queue(queue) => queue.next().await,
            Source::BackToBack(end) => {
                let until_start = start.saturating_duration_since(Instant::now());
                if !until_start.is_zero() {
                    // Nothing is sent before the start.
                    tokio::time::sleep(until_start).await;
                }
                let now = start.elapsed();
                let due = (now < *end).then_some(now)?;
                self.schedule(&[due]);
                Some(due)
            }
        }
    }

    fn schedule(&self, batch: &[Duration]) {
        let mut report = lock(&self.report);
        for due in batch {
            let scheduled = report.schedule(*due);
            self.keep(scheduled);
        }
    }

    fn record(&self, request: InFlight, done: Duration, outcome: HitOutcome) {
        let recorded = lock(&self.report).record(&Hit {
            intended: request.intended,
            sent: request.sent,
            done,
            generator_lag: request.generator_lag,
            outcome,
        });
        self.keep(recorded);
    }

    /// Keeps the error of a record for the end of the load.
    fn keep(&self, result: Result<(), SeriesError>) {
        if let Err(error) = result {
            *lock(&self.failure) = Some(error);
        }
    }

    /// Records what has no outcome at the end.
    fn settle(&self, end: Duration) {
        let in_flight = std::mem::take(&mut *lock(&self.in_flight));
        for request in in_flight.into_iter().flatten() {
            self.record(request, end, HitOutcome::Unfinished);
        }
        if let Source::Queue(queue) = &self.source {
            for intended in queue.drain() {
                let request = InFlight {
                    intended,
                    sent: end,
                    generator_lag: Duration::ZERO,
                };
                self.record(request, end, HitOutcome::NeverSent);
            }
        }
    }
}
