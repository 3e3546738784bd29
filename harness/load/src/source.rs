//! Where the requests of a load come from: a schedule, or one after the other.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::{Pacer, Report, SeriesError};

/// Where the requests of a load come from.
pub(crate) enum Source<'a> {
    /// They are due at given times.
    Paced(Paced<'a>),
    /// Each is due when a connection is free, until this time.
    BackToBack(Duration),
}

/// The requests of a schedule.
pub(crate) struct Paced<'a> {
    pacer: &'a dyn Pacer,
    /// The number of the next request.
    number: u64,
    /// When that is due; `None` after the last.
    next: Option<Duration>,
    /// When each request was due that is not yet sent.
    waiting: VecDeque<Duration>,
}

impl<'a> Source<'a> {
    /// Requests at the times of a pacer.
    pub(crate) fn paced(pacer: &'a dyn Pacer) -> Self {
        Self::Paced(Paced {
            pacer,
            number: 0,
            next: pacer.due(0),
            waiting: VecDeque::new(),
        })
    }

    /// Schedules every request that is due.
    pub(crate) fn release(
        &mut self,
        now: Duration,
        report: &mut Report,
    ) -> Result<(), SeriesError> {
        let Self::Paced(paced) = self else {
            return Ok(());
        };
        while let Some(due) = paced.next.filter(|due| *due <= now) {
            report.schedule(due)?;
            paced.waiting.push_back(due);
            paced.number += 1;
            paced.next = paced.pacer.due(paced.number);
        }
        Ok(())
    }

    /// When a request was due that can be sent now.
    pub(crate) fn take(
        &mut self,
        now: Duration,
        report: &mut Report,
    ) -> Result<Option<Duration>, SeriesError> {
        match self {
            Self::Paced(paced) => Ok(paced.waiting.pop_front()),
            Self::BackToBack(end) if now < *end => {
                report.schedule(now)?;
                Ok(Some(now))
            }
            Self::BackToBack(_) => Ok(None),
        }
    }

    /// When the next request of a schedule is due.
    pub(crate) fn next(&self) -> Option<Duration> {
        match self {
            Self::Paced(paced) => paced.next,
            Self::BackToBack(_) => None,
        }
    }

    /// Whether no request becomes due any more.
    pub(crate) fn is_over(&self, now: Duration) -> bool {
        match self {
            Self::Paced(paced) => paced.next.is_none(),
            Self::BackToBack(end) => now >= *end,
        }
    }

    /// Takes every request that was due and not sent.
    pub(crate) fn drain(&mut self) -> VecDeque<Duration> {
        match self {
            Self::Paced(paced) => std::mem::take(&mut paced.waiting),
            Self::BackToBack(_) => VecDeque::new(),
        }
    }

    /// Whether a request waits for a connection.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self, Self::Paced(paced) if !paced.waiting.is_empty())
    }
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paced(paced) => write!(f, "Paced, next: {:?}", paced.next),
            Self::BackToBack(end) => f.debug_tuple("BackToBack").field(end).finish(),
        }
    }
}
