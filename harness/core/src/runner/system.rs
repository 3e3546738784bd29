//! The system that a session runs against: a stack of its own, one that another process started, or a deployed one.

use std::sync::Arc;

use cutover_evidence::journal::JournalError;
use cutover_evidence::redact::Redactor;
use cutover_fault::Links;
use cutover_stack::{StackInfo, StackSpec, StandinHost};

use crate::connection::Connection;
use crate::safety::Safeguards;

/// What a session is to run against: exactly one of three.
pub enum SystemSpec {
    /// Stacks that the session starts.
    OwnStacks {
        /// What they are made of.
        spec: StackSpec,
        /// How many exclusive checks may have one at a time.
        lanes: usize,
    },
    /// A stack that another process started, and stacks of its own for exclusive checks.
    SharedStack {
        /// The stack that is shared.
        stack: StackInfo,
        /// What the others are made of.
        spec: StackSpec,
        /// How many exclusive checks may have one at a time.
        lanes: usize,
    },
    /// A system that is already deployed.
    Attached(AttachedSpec),
}

/// A system that is already deployed.
pub struct AttachedSpec {
    /// How to reach it.
    pub connection: Connection,
    /// What its connections pass through, where they do.
    pub links: Option<Arc<Links>>,
    /// Stand-ins that run for as long as the session does, where the target needs them.
    pub standins: Option<StandinHost>,
}

/// A system that is already deployed, and what keeps a run from harming it.
pub(super) struct Attached {
    pub(super) connection: Connection,
    pub(super) links: Option<Arc<Links>>,
    pub(super) standins: Option<StandinHost>,
    pub(super) safeguards: Safeguards,
}

/// The system of a session.
pub(super) enum System {
    OwnStacks,
    SharedStack(Box<StackInfo>),
    Attached(Box<Attached>),
}

impl System {
    /// The deployed system, if it is one.
    pub(super) fn attached(&self) -> Option<&Attached> {
        match self {
            Self::OwnStacks | Self::SharedStack(_) => None,
            Self::Attached(attached) => Some(attached),
        }
    }

    /// Whether other processes write to the same run.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::SharedStack(_))
    }
}

impl AttachedSpec {
    pub(super) fn guarded(
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

/// Lets the redactor learn every secret of a stack.
pub(super) fn learn_credentials(stack: &StackInfo, redactor: &Redactor) {
    for (name, secret) in stack.credentials.iter() {
        redactor.learn_named(name, secret);
    }
}
