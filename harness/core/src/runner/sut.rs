//! The system under test of a session: stacks of its own, a shared stack, or an attached system.

use std::sync::Arc;

use cutover_evidence::journal::JournalError;
use cutover_evidence::redact::Redactor;
use cutover_fault::Links;
use cutover_stack::{StackInfo, StackSpec, StandinHost};

use crate::connection::Connection;
use crate::safety::Safeguards;

/// The system that a session is to run against.
pub enum SutSpec {
    /// Stacks that the session starts.
    OwnStacks {
        /// What they are built from.
        spec: StackSpec,
        /// How many exclusive checks run at a time, each on a stack of its own.
        lanes: usize,
    },
    /// A stack that another process started, and stacks of the session for exclusive checks.
    SharedStack {
        /// The shared stack.
        stack: StackInfo,
        /// What the other stacks are built from.
        spec: StackSpec,
        /// How many exclusive checks run at a time, each on a stack of its own.
        lanes: usize,
    },
    /// A system that is already deployed.
    Attached(AttachedSpec),
}

/// A system that is already deployed.
pub struct AttachedSpec {
    /// Its endpoints, and how to authenticate there.
    pub connection: Connection,
    /// The links that its connections pass through, if there are any.
    pub links: Option<Arc<Links>>,
    /// Stand-ins that the session starts and stops, where the target needs them.
    pub standins: Option<StandinHost>,
}

/// An attached system with its safeguards.
pub(super) struct Attached {
    pub(super) connection: Connection,
    pub(super) links: Option<Arc<Links>>,
    pub(super) standins: Option<StandinHost>,
    pub(super) safeguards: Safeguards,
}

/// The system under test of a session.
pub(super) enum Sut {
    OwnStacks,
    SharedStack(Box<StackInfo>),
    Attached(Box<Attached>),
}

impl Sut {
    /// The attached system, if it is one.
    pub(super) fn attached(&self) -> Option<&Attached> {
        match self {
            Self::OwnStacks | Self::SharedStack(_) => None,
            Self::Attached(attached) => Some(attached),
        }
    }

    /// Whether other processes write to the same run directory.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::SharedStack(_))
    }
}

impl AttachedSpec {
    pub(super) fn with_safeguards(
        self,
        safeguards: impl FnOnce() -> Result<Safeguards, JournalError>,
    ) -> Result<Attached, JournalError> {
        Ok(Attached {
            connection: self.connection,
            links: self.links,
            standins: self.standins,
            safeguards: safeguards()?,
        })
    }
}

/// Adds every secret of a stack to the redactor.
pub(super) fn learn_credentials(stack: &StackInfo, redactor: &Redactor) {
    for (name, secret) in stack.credentials.iter() {
        redactor.learn_named(name, secret);
    }
}
