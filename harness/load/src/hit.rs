//! One request of a load and its three points in time, all since the start of the load.

use std::time::Duration;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitOutcome {
    /// It was answered as it should be.
    Ok,
    /// It was answered otherwise, or not at all.
    Failed,
    /// It was not answered before its deadline.
    TimedOut,
}

/// One request of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// When it was due.
    pub intended: Duration,
    /// When it was sent.
    pub sent: Duration,
    /// When it was answered, or given up.
    pub done: Duration,
    /// What became of it.
    pub outcome: HitOutcome,
}

impl Hit {
    /// How long a user would have waited: from when the request was due.
    pub fn response_time(&self) -> Duration {
        self.done.saturating_sub(self.intended)
    }

    /// How long the server took: from when the request was sent.
    pub fn service_time(&self) -> Duration {
        self.done.saturating_sub(self.sent)
    }

    /// How late the request was sent: the share of the load generator.
    pub fn lag(&self) -> Duration {
        self.sent.saturating_sub(self.intended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_waits_for_its_connection_has_a_long_response_and_a_short_service_time() {
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
