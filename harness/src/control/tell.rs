//! Giving an instruction to a stack of our own.

use std::time::Duration;

use futures::future::try_join_all;

use super::instruction::Instruction;
use crate::stack::{ProcessError, Stack, StackError};

/// An instruction that was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// A process of our own did not do as it was told.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The stack did not change as it was told.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The target file has no command for it.
    #[error("{instruction}: the target has no [control] command for it")]
    NoCommand {
        /// What was to be done.
        instruction: Instruction,
    },
    /// The command could not be run.
    #[error("{instruction}: run '{program}'")]
    Unrunnable {
        /// What was to be done.
        instruction: Instruction,
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The command did not end.
    #[error("{instruction}: '{program}' still runs after {}", humantime::format_duration(*within))]
    StillRunning {
        /// What was to be done.
        instruction: Instruction,
        /// The program.
        program: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// The command ended with a failure.
    #[error("{instruction}: '{program}' ended with {status}: {said}")]
    Refused {
        /// What was to be done.
        instruction: Instruction,
        /// The program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The end of what it said.
        said: String,
    },
}

/// Gives an instruction to a stack and waits until it is carried out.
pub(crate) async fn tell_stack(stack: &Stack, told: Instruction) -> Result<(), ControlError> {
    let workers = stack.workers();
    match told {
        Instruction::StopWorkers => {
            try_join_all(workers.iter().map(|worker| worker.kill())).await?;
        }
        Instruction::StartWorkers => {
            try_join_all(workers.iter().map(|worker| worker.start())).await?;
        }
        Instruction::PauseWorkers => {
            try_join_all(workers.iter().map(|worker| worker.pause())).await?;
        }
        Instruction::ResumeWorkers => {
            try_join_all(workers.iter().map(|worker| worker.resume())).await?;
        }
        Instruction::ScaleWorkers(count) => stack.scale_workers(count).await?,
        Instruction::StopApi => {
            stack.api().kill().await?;
        }
        Instruction::StartApi => stack.api().start().await?,
    }
    Ok(())
}
