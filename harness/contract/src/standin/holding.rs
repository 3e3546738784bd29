//! Which behaviours of stand-ins keep their caller waiting.

use super::script::{
    AuthBehaviour, CallbackMoment, EmbedderBehaviour, ParserAnswer, ParserBehaviour,
    StorageBehaviour,
};

/// A delay that no other check notices, in milliseconds.
const SHORT_MS: u64 = 1_000;

/// The behaviour of a stand-in that can keep its caller waiting.
pub trait Holding {
    /// Whether a caller may wait so long that others who need its worker or its connection notice.
    fn holds_caller(&self) -> bool;
}

fn is_long(delay_ms: u64) -> bool {
    delay_ms > SHORT_MS
}

impl Holding for ParserBehaviour {
    fn holds_caller(&self) -> bool {
        let answer = match self.answer {
            ParserAnswer::Hang => true,
            ParserAnswer::Late { delay_ms } => is_long(delay_ms),
            ParserAnswer::Accept | ParserAnswer::Refuse { .. } | ParserAnswer::Garbage => false,
        };
        // Some pipelines keep a worker until the callback arrives.
        let callback = match self.callback.moment {
            CallbackMoment::Never => true,
            CallbackMoment::Late { delay_ms } => is_long(delay_ms),
            CallbackMoment::AfterAnswer | CallbackMoment::BeforeAnswer => false,
        };
        answer || callback
    }
}

impl Holding for EmbedderBehaviour {
    fn holds_caller(&self) -> bool {
        match self {
            Self::Hang => true,
            Self::Late { delay_ms } => is_long(*delay_ms),
            _ => false,
        }
    }
}

impl Holding for StorageBehaviour {
    fn holds_caller(&self) -> bool {
        match self {
            Self::Hang => true,
            Self::Late { delay_ms } => is_long(*delay_ms),
            _ => false,
        }
    }
}

impl Holding for AuthBehaviour {
    fn holds_caller(&self) -> bool {
        match self {
            Self::Hang => true,
            Self::Late { delay_ms } => is_long(*delay_ms),
            Self::Serve | Self::Refuse { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_or_slow_provider_holds_its_caller() {
        assert!(!ParserBehaviour::default().holds_caller());
        assert!(!EmbedderBehaviour::Late { delay_ms: 800 }.holds_caller());
        assert!(EmbedderBehaviour::Late { delay_ms: 3_000 }.holds_caller());
        assert!(StorageBehaviour::Hang.holds_caller());
        let mut silent = ParserBehaviour::default();
        silent.callback.moment = CallbackMoment::Never;
        assert!(silent.holds_caller());
    }
}
