//! A container that runs a one-shot command to its end and is removed.

use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use testcontainers::bollard::container::LogOutput;
use testcontainers::bollard::query_parameters::RemoveContainerOptionsBuilder;
use tokio::time::timeout;

use super::container::{Container, LogStream, exit_status};
use super::docker::{ContainerError, context, is_gone};
use crate::launch::{LaunchSpec, OneShotOutcome};

/// Makes the names unique: two containers of one stack must not share a name, even one after the other.
static NEXT_ID: AtomicUsize = AtomicUsize::new(0);

impl Container {
    /// Runs the container, collects its output, and removes it.
    pub(crate) async fn run_to_completion(
        &self,
        mut spec: LaunchSpec,
        within: Duration,
    ) -> Result<OneShotOutcome, ContainerError> {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        spec.name = format!("{}-{id}", spec.name);
        let outcome = self.run(&spec, within).await;
        let name = self.name(&spec);
        let forced = RemoveContainerOptionsBuilder::new().force(true).v(true);
        let removed = self
            .network
            .docker
            .remove_container(&name, Some(forced.build()))
            .await;
        match removed {
            Err(error) if !is_gone(&error) => {
                Err(context(format!("remove the container '{name}'"))(error))
            }
            _ => outcome,
        }
    }

    async fn run(
        &self,
        spec: &LaunchSpec,
        within: Duration,
    ) -> Result<OneShotOutcome, ContainerError> {
        let stream = self.create_and_start(spec).await?;
        let name = self.name(spec);
        let exited = async {
            let (stdout, stderr) = collect(stream).await;
            Output {
                status: exit_status(&self.network.docker, &name).await,
                stdout,
                stderr,
            }
        };
        Ok(match timeout(within, exited).await {
            Ok(output) => OneShotOutcome::Exited(output),
            Err(_) => OneShotOutcome::TimedOut,
        })
    }
}

async fn collect(mut stream: LogStream) -> (Vec<u8>, Vec<u8>) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some(Ok(chunk)) = stream.next().await {
        match chunk {
            LogOutput::StdErr { message } => stderr.extend(message),
            LogOutput::StdOut { message }
            | LogOutput::Console { message }
            | LogOutput::StdIn { message } => stdout.extend(message),
        }
    }
    (stdout, stderr)
}
