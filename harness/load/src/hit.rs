//! One request of a load, with three times since the start of the load.

use std::time::Duration;

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitOutcome {
    /// It got the expected response.
    Ok,
    /// It got another response, or none.
    Failed,
    /// It got no response before its deadline.
    TimedOut,
}

/// One request of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// When it was due.
    pub intended: Duration,
    /// When it was sent.
    pub sent: Duration,
    /// When it was answered or abandoned.
    pub done: Duration,
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

    /// How late the request was sent, which the load generator caused.
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
            outcome: HitOutcome::Ok,
        };
        assert_eq!(hit.response_time(), ms(1_005));
        assert_eq!(hit.service_time(), ms(5));
        assert_eq!(hit.lag(), ms(1_000));
        assert_eq!(hit.response_time(), hit.lag() + hit.service_time());
    }
}
