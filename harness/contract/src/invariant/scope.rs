//! The users with documents that the invariants check.

use uuid::Uuid;

use crate::probe::Parameter;

/// The users with documents that the invariants check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Option<Vec<Uuid>>);

impl Scope {
    /// All users.
    pub fn everything() -> Self {
        Self(None)
    }

    /// Only these users.
    pub fn users(users: impl IntoIterator<Item = Uuid>) -> Self {
        Self(Some(users.into_iter().collect()))
    }

    /// The users, if it is limited to some.
    pub(super) fn listed(&self) -> &[Uuid] {
        self.0.as_deref().unwrap_or_default()
    }

    pub(super) fn parameter(&self) -> Parameter {
        Parameter::Uuids(self.0.clone())
    }
}
