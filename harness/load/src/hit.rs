//! One request of a load, with three times since the start of the load.

use std::time::Duration;

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitOutcome {
    /// It got a response with a status from 100 to 399.
    Ok,
    /// It got a response with a status from 400 to 499.
    ClientError,
    /// It got a response with a status of 500 or more.
    ServerError,
    /// No connection could be opened.
    Connect,
    /// The connection was closed before the end of the response.
    Reset,
    /// What arrived was not HTTP.
    Protocol,
    /// It got no response before its deadline.
    TimedOut,
    /// It was sent, and had no response when the load ended.
    Unfinished,
    /// It was due, and no connection had become free when the load ended.
    NeverSent,
}

impl HitOutcome {
    /// Whether a response arrived, whatever its status.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Ok | Self::ClientError | Self::ServerError)
    }
}

/// One request of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// When it was due.
    pub intended: Duration,
    /// When it was sent; when the load ended, if it never was.
    pub sent: Duration,
    /// When it was answered or abandoned.
    pub done: Duration,
    /// The part of the lag that the generator caused: a connection was free.
    pub generator_lag: Duration,
    /// Its outcome.
    pub outcome: HitOutcome,
}

impl Hit {
    /// The time that a user would have waited, counted from when the request was due.
    pub fn response_time(&self) -> Duration {
        self.done.saturating_sub(self.intended)
    }

    /// The time that the server took, counted from when the request was sent.
    pub fn service_time(&self) -> Duration {
        self.done.saturating_sub(self.sent)
    }

    /// How late the request was sent, because no connection was free or the generator was late.
    pub fn lag(&self) -> Duration {
        self.sent.saturating_sub(self.intended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_is_sent_late_has_a_long_response_time_and_a_short_service_time() {
        let ms = Duration::from_millis;
        let hit = Hit {
            intended: ms(10),
            sent: ms(1_010),
            done: ms(1_015),
            generator_lag: ms(0),
            outcome: HitOutcome::Ok,
        };
        assert_eq!(hit.response_time(), ms(1_005));
        assert_eq!(hit.service_time(), ms(5));
        assert_eq!(hit.lag(), ms(1_000));
        assert_eq!(hit.response_time(), hit.lag() + hit.service_time());
    }
}
