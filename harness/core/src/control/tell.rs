//! Giving an instruction to a stack of our own.

use futures::future::try_join_all;

use super::error::ControlError;
use crate::control_action::ControlAction;
use cutover_stack::Stack;

/// Gives an instruction to a stack and waits until it is carried out.
pub(crate) async fn tell_stack(stack: &Stack, told: ControlAction) -> Result<(), ControlError> {
    let workers = stack.workers();
    match told {
        ControlAction::StopWorkers => {
            try_join_all(workers.iter().map(|worker| worker.kill())).await?;
        }
        ControlAction::StartWorkers => {
            try_join_all(workers.iter().map(|worker| worker.start())).await?;
        }
        ControlAction::PauseWorkers => {
            try_join_all(workers.iter().map(|worker| worker.pause())).await?;
        }
        ControlAction::ResumeWorkers => {
            try_join_all(workers.iter().map(|worker| worker.resume())).await?;
        }
        ControlAction::ScaleWorkers(count) => stack.scale_workers(count).await?,
        ControlAction::StopApi => {
            stack.api().kill().await?;
        }
        ControlAction::StartApi => stack.api().start().await?,
    }
    Ok(())
}
