//! A container that runs to its end beside those of a stack.

use std::process::Output as Collected;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use testcontainers::bollard::container::LogOutput;
use testcontainers::bollard::query_parameters::RemoveContainerOptionsBuilder;
use tokio::time::timeout;

use super::engine::{ContainerError, doing, is_gone};
use super::vessel::{Output, Vessel, exit_status};
use crate::process::{OneShotOutcome, Recipe};

/// Containers of one stack must not share a name, not even one after another.
static VOYAGES: AtomicUsize = AtomicUsize::new(0);

impl Vessel {
    /// Runs the container, collects what it says, and removes it.
    pub(super) async fn run(
        &self,
        mut recipe: Recipe,
        within: Duration,
    ) -> Result<OneShotOutcome, ContainerError> {
        let number = VOYAGES.fetch_add(1, Ordering::Relaxed);
        recipe.name = format!("{}-{number}", recipe.name);
        let attempt = self.attempt(&recipe, within).await;
        let name = self.name(&recipe);
        let by_force = RemoveContainerOptionsBuilder::new().force(true).v(true);
        let removed = self
            .network
            .docker
            .remove_container(&name, Some(by_force.build()))
            .await;
        match removed {
            Err(error) if !is_gone(&error) => {
                Err(doing(format!("remove the container '{name}'"))(error))
            }
            _ => attempt,
        }
    }

    async fn attempt(
        &self,
        recipe: &Recipe,
        within: Duration,
    ) -> Result<OneShotOutcome, ContainerError> {
        let output = self.launch(recipe).await?;
        let name = self.name(recipe);
        let ended = async {
            let (stdout, stderr) = collect(output).await;
            Collected {
                status: exit_status(&self.network.docker, &name).await,
                stdout,
                stderr,
            }
        };
        Ok(match timeout(within, ended).await {
            Ok(collected) => OneShotOutcome::Exited(collected),
            Err(_) => OneShotOutcome::TimedOut,
        })
    }
}

async fn collect(mut output: Output) -> (Vec<u8>, Vec<u8>) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(Ok(said)) = output.next().await {
        match said {
            LogOutput::StdErr { message } => stderr.extend(message),
            LogOutput::StdOut { message }
            | LogOutput::Console { message }
            | LogOutput::StdIn { message } => stdout.extend(message),
        }
    }
    (stdout, stderr)
}
