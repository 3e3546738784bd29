//! What a fault may do to the requests of users and to their documents.

use cutover_harness::fault::{LinkClient, LinkName};

use super::history::Action;

/// What the faults of a scenario may do to the requests of its users.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    /// The link with the fault; all links if there is none.
    link: Option<LinkName>,
    /// Whether the fault breaks no request, only slows it.
    only_slows: bool,
}

impl Allowed {
    /// What faults of all links and of all processes may do.
    pub(super) const ANYWHERE: Self = Self {
        link: None,
        only_slows: false,
    };

    /// What a fault of this link may do.
    pub(super) fn on(link: LinkName, only_slows: bool) -> Self {
        Self {
            link: Some(link),
            only_slows,
        }
    }

    /// Whether a request may get no answer, because something is wrong on the users' own way to the service.
    pub(super) fn no_answer(self) -> bool {
        self.link
            .is_none_or(|link| link.client() == LinkClient::User)
    }

    /// Whether a registration that is answered by an error may have an effect: its commit may have got no answer.
    pub(super) fn effect_after_error(self) -> bool {
        self.link
            .is_none_or(|link| matches!(link, LinkName::ApiToDatabase | LinkName::Database))
    }

    /// Whether documents may need retries.
    pub(super) fn retries(self) -> bool {
        !self.only_slows
    }

    /// Whether a request needs a link with a fault.
    pub(super) fn needs(self, action: Action) -> bool {
        self.link.is_none_or(|link| needs(action, link))
    }

    /// Whether a request may be answered by an error of the service.
    pub(super) fn error_answer(self, action: Action) -> bool {
        !self.only_slows && self.needs(action)
    }
}

/// Whether the API needs a link to answer a request.
fn needs(action: Action, link: LinkName) -> bool {
    match link {
        LinkName::ClientToApi
        | LinkName::ApiToDatabase
        | LinkName::Database
        | LinkName::Identity
        // The service may have its tokens checked at the same address.
        | LinkName::ApiToStorage
        | LinkName::Storage => true,
        LinkName::ApiToEmbedder | LinkName::Embedder => action == Action::Search,
        // A service may refuse work when it hears of no worker.
        LinkName::WorkerToDatabase => action == Action::Register,
        LinkName::Parser
        | LinkName::ParserToApi
        | LinkName::WorkerToStorage
        | LinkName::WorkerToParser
        | LinkName::WorkerToEmbedder => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_that_needs_the_link_may_be_answered_by_an_error() {
        let on_embedder = Allowed::on(LinkName::ApiToEmbedder, false);
        assert!(on_embedder.error_answer(Action::Search));
        assert!(!on_embedder.error_answer(Action::Read));
        let slow = Allowed::on(LinkName::ApiToDatabase, true);
        assert!(!slow.error_answer(Action::Read) && slow.needs(Action::Read));
        assert!(Allowed::ANYWHERE.error_answer(Action::Read));
    }
}
