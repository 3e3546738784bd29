//! Whose documents an invariant is asked about.

use uuid::Uuid;

use crate::probe::Parameter;

/// Whose documents an invariant is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Option<Vec<Uuid>>);

impl Scope {
    /// Everybody's.
    pub fn everything() -> Self {
        Self(None)
    }

    /// Those of these users.
    pub fn users(users: impl IntoIterator<Item = Uuid>) -> Self {
        Self(Some(users.into_iter().collect()))
    }

    pub(super) fn parameter(&self) -> Parameter {
        Parameter::Uuids(self.0.clone())
    }
}
