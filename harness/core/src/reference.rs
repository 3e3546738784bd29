//! The system that stacks of our own run: implemented where the reference pipeline lives.

use std::path::PathBuf;

use cutover_contract::contract::Contract;
use cutover_stack::{StackInfo, StackSpec};

use crate::connection::Connection;
use crate::seeded_defect::SeededDefect;
use crate::target_file::Target;

/// What a stack is asked to be.
#[derive(Clone, Copy, Debug)]
pub struct StackRequest<'a> {
    /// The target that asks for it.
    pub target: &'a Target,
    /// The contract that the system is held to.
    pub contract: &'a Contract,
    /// The seeded defect to start it with.
    pub defect: Option<&'a SeededDefect>,
}

/// The system that stacks of our own run.
pub trait ReferenceSystem: Sync {
    /// The stack that a target asks for; `program` is the binary that carries the system and the stand-ins.
    fn stack_spec(&self, program: PathBuf, request: &StackRequest<'_>) -> StackSpec;

    /// How to reach the system of a running stack.
    ///
    /// # Errors
    /// Where the stack's file lacks an endpoint or a secret.
    fn connection(&self, stack: &StackInfo) -> anyhow::Result<Connection>;
}
