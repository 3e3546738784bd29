//! Giving an instruction to a stack of our own.

use futures::future::try_join_all;

use super::error::ControlError;
use crate::control_action::Instruction;
use cutover_stack::Stack;

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
