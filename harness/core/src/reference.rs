//! The interface to the reference system, which cutover's own stacks run.

use std::path::PathBuf;

use cutover_contract::contract::Contract;
use cutover_stack::{StackInfo, StackSpec};

use crate::connection::Connection;
use crate::seeded_defect::SeededDefect;
use crate::target_file::Target;

/// What a stack is built from.
#[derive(Clone, Copy, Debug)]
pub struct StackRequest<'a> {
    /// The target that configures it.
    pub target: &'a Target,
    /// The contract of the system.
    pub contract: &'a Contract,
    /// The seeded defect to start it with.
    pub defect: Option<&'a SeededDefect>,
}

/// The system that cutover's own stacks run.
pub trait ReferenceSystem: Sync {
    /// The stack for a target. `program` is the binary that contains the system and the stand-ins.
    fn stack_spec(&self, program: PathBuf, request: &StackRequest<'_>) -> StackSpec;

    /// The connection to the system of a running stack.
    ///
    /// # Errors
    /// Where the stack's file lacks an endpoint or a secret.
    fn connection(&self, stack: &StackInfo) -> anyhow::Result<Connection>;
}
