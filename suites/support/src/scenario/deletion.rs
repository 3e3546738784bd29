//! A deletion during a fault: once it is acknowledged, nothing is left of the document.

use cutover_fixtures::documents::Documents as _;
use cutover_harness::prelude::*;

use super::history::Action;
use super::users::{Known, Users};

/// A complete document whose user deletes it while a fault acts.
pub(super) struct Deletion<'a> {
    users: Users<'a>,
    known: Known,
    number: usize,
}

impl<'a> Deletion<'a> {
    /// The document, which is complete; nothing where a deletion does not need the faulty link, or where
    /// no other user is left.
    pub(super) async fn prepare(users: &Users<'a>, number: usize) -> CheckResult<Option<Self>> {
        let deletes = users.cx.contract().has(Endpoint::DeleteDocument);
        if !deletes || !users.expectation(Action::Delete).needs_link {
            return Ok(None);
        }
        let Ok(users) = users.as_another() else {
            return Ok(None);
        };
        let (known, _) = users.complete(users.cx.document().build()).await?;
        Ok(Some(Self {
            users,
            known,
            number,
        }))
    }

    /// Deletes the document, and repeats that until it is decided.
    pub(super) async fn act(&self) -> CheckResult {
        self.users.delete(self.number, &self.known.accepted).await
    }

    /// Nothing is left of the document.
    pub(super) async fn expect_gone(&self) -> CheckResult {
        let Known { accepted, document } = &self.known;
        self.users.expect_gone(accepted, document).await
    }
}
