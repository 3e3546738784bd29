//! A container as the body of a process: made once, started as often as the process is.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::pin::{Pin, pin};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use rustix::process::Signal;
use testcontainers::bollard::Docker;
use testcontainers::bollard::container::LogOutput;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::{
    ContainerCreateBody, ContainerStateStatusEnum, EndpointSettings, HostConfig, Mount, MountType,
    NetworkingConfig, PortBinding,
};
use testcontainers::bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, InspectContainerOptions,
    KillContainerOptionsBuilder, StartContainerOptions, WaitContainerOptions,
};
use tokio::sync::{OnceCell, watch};
use tokio::time::{sleep, timeout};

use super::engine::{ContainerError, Network, doing, status, undisturbed};
use crate::mark::ProcessIdentity;
use crate::process::{Birth, Order, Recipe};

/// How long the last output of a container may take after its end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long until Docker is asked again when it failed to say how a container ended.
const AGAIN: Duration = Duration::from_millis(200);

/// What a container writes.
pub(super) type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, DockerError>> + Send>>;

/// A container of a stack.
#[derive(Clone)]
pub(crate) struct Vessel {
    pub(super) network: Arc<Network>,
    pub(super) image: String,
    /// A port of this machine, and the container's own port behind it.
    pub(super) published: Option<(u16, u16)>,
    /// Where the stack's volume is seen.
    pub(super) volume: Option<&'static str>,
    pub(super) made: Arc<OnceCell<()>>,
}

impl fmt::Debug for Vessel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vessel")
            .field("image", &self.image)
            .field("published", &self.published)
            .finish_non_exhaustive()
    }
}

impl Vessel {
    /// A container of an image, before it exists.
    pub(super) fn of(network: &Arc<Network>, image: &str) -> Self {
        Self {
            network: Arc::clone(network),
            image: image.to_owned(),
            published: None,
            volume: None,
            made: Arc::default(),
        }
    }

    fn docker(&self) -> &Docker {
        &self.network.docker
    }

    /// What Docker calls the container of a process.
    pub(super) fn name(&self, recipe: &Recipe) -> String {
        format!("{}-{}", self.network.name, recipe.name)
    }

    /// Starts the container, with its output at the end of the log.
    pub(crate) async fn begin(&self, recipe: &Recipe, log: &Path) -> Result<Birth, ContainerError> {
        let opened = OpenOptions::new().append(true).open(log);
        let log = opened.map_err(|source| ContainerError::Log {
            path: log.to_owned(),
            source,
        })?;
        let output = self.launch(recipe).await?;
        let name = self.name(recipe);
        let found = self
            .docker()
            .inspect_container(&name, None::<InspectContainerOptions>)
            .await
            .map_err(doing(format!("look at the container '{name}'")))?;
        let pid = found.state.and_then(|state| state.pid);
        let mark = ProcessIdentity::of(pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0));
        let (ended, exit) = watch::channel(None);
        let docker = self.docker().clone();
        tokio::spawn(async move {
            let status = follow(&docker, &name, output, log).await;
            ended.send_replace(Some(status));
        });
        Ok(Birth { mark, exit })
    }

    /// Makes the container if there is none, and starts it; its output is listened to before there is any.
    pub(super) async fn launch(&self, recipe: &Recipe) -> Result<Output, ContainerError> {
        let name = self.name(recipe);
        self.made
            .get_or_try_init(|| self.create(&name, recipe))
            .await?;
        let listen = AttachContainerOptionsBuilder::new()
            .stream(true)
            .stdout(true)
            .stderr(true)
            .build();
        let attached = self
            .docker()
            .attach_container(&name, Some(listen))
            .await
            .map_err(doing(format!("listen to the container '{name}'")))?;
        self.docker()
            .start_container(&name, None::<StartContainerOptions>)
            .await
            .map_err(doing(format!("start the container '{name}'")))?;
        Ok(attached.output)
    }

    async fn create(&self, name: &str, recipe: &Recipe) -> Result<(), ContainerError> {
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let (docker, body) = (self.docker().clone(), self.body(recipe));
        let failed = doing(format!("make the container '{name}'"));
        let work = Box::pin(async move {
            let made = docker.create_container(Some(options), body).await;
            made.map(drop).map_err(failed)
        });
        undisturbed(&self.network.making, work).await
    }

    fn body(&self, recipe: &Recipe) -> ContainerCreateBody {
        let args = recipe
            .args
            .iter()
            .map(|arg| arg.to_string_lossy().into_owned());
        let environment = recipe.environment.iter();
        let endpoint = EndpointSettings {
            aliases: Some(vec![recipe.name.clone()]),
            ..EndpointSettings::default()
        };
        ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: Some(args.collect()),
            env: Some(
                environment
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
            ),
            labels: Some(self.network.labels.clone()),
            hostname: Some(recipe.name.clone()),
            exposed_ports: self
                .published
                .map(|(_, inside)| vec![format!("{inside}/tcp")]),
            networking_config: Some(NetworkingConfig {
                endpoints_config: Some([(self.network.name.clone(), endpoint)].into()),
            }),
            host_config: Some(self.host_config()),
            ..ContainerCreateBody::default()
        }
    }

    fn host_config(&self) -> HostConfig {
        let binding = |(outside, inside): (u16, u16)| {
            let binding = PortBinding {
                host_ip: Some("127.0.0.1".to_owned()),
                host_port: Some(outside.to_string()),
            };
            [(format!("{inside}/tcp"), Some(vec![binding]))].into()
        };
        let mount = |target: &str| Mount {
            source: Some(self.network.name.clone()),
            target: Some(target.to_owned()),
            typ: Some(MountType::VOLUME),
            ..Mount::default()
        };
        HostConfig {
            network_mode: Some(self.network.name.clone()),
            port_bindings: self.published.map(binding),
            mounts: self.volume.map(|target| vec![mount(target)]),
            ..HostConfig::default()
        }
    }

    /// Tells the container something; one that has ended is no error.
    pub(crate) async fn order(&self, recipe: &Recipe, order: Order) -> Result<(), ContainerError> {
        let name = self.name(recipe);
        let outcome = match order {
            Order::Graceful => self.kill(&name, recipe.graceful).await,
            Order::End => self.kill(&name, Signal::KILL).await,
            Order::Freeze => self.docker().pause_container(&name).await,
            Order::Thaw if !self.is_paused(&name).await => Ok(()),
            Order::Thaw => self.docker().unpause_container(&name).await,
        };
        match outcome {
            // It is not running.
            Err(error) if status(&error) == Some(409) => Ok(()),
            outcome => outcome.map_err(doing(format!("tell the container '{name}': {order:?}"))),
        }
    }

    async fn kill(&self, name: &str, signal: Signal) -> Result<(), DockerError> {
        let options = KillContainerOptionsBuilder::new()
            .signal(&signal.as_raw().to_string())
            .build();
        self.docker().kill_container(name, Some(options)).await
    }

    async fn is_paused(&self, name: &str) -> bool {
        let found = self
            .docker()
            .inspect_container(name, None::<InspectContainerOptions>)
            .await;
        found.is_ok_and(|found| {
            found.state.and_then(|state| state.status) == Some(ContainerStateStatusEnum::PAUSED)
        })
    }
}

/// Writes what a container says to its log, and waits for its end.
async fn follow(docker: &Docker, name: &str, output: Output, log: File) -> ExitStatus {
    let mut copying = pin!(copy(output, log));
    let mut ended = pin!(exit_status(docker, name));
    tokio::select! {
        () = &mut copying => ended.await,
        status = &mut ended => {
            let _ = timeout(LAST_WORDS, copying).await;
            status
        }
    }
}

async fn copy(mut output: Output, mut log: File) {
    while let Some(Ok(said)) = output.next().await {
        if let Err(error) = log.write_all(said.as_ref()) {
            tracing::warn!(%error, "what a container says is not written to its log");
            return;
        }
    }
}

/// How a container ends, once it does; the container of a stack that is being removed was killed.
pub(super) async fn exit_status(docker: &Docker, name: &str) -> ExitStatus {
    loop {
        let mut waiting = pin!(docker.wait_container(name, None::<WaitContainerOptions>));
        match waiting.next().await {
            Some(Ok(answer)) => return of_code(answer.status_code),
            Some(Err(DockerError::DockerContainerWaitError { code, .. })) => return of_code(code),
            Some(Err(error)) if status(&error) == Some(404) => {
                return ExitStatus::from_raw(Signal::KILL.as_raw());
            }
            // A daemon that is being restarted knows it afterwards.
            Some(Err(_)) | None => sleep(AGAIN).await,
        }
    }
}

/// Docker says 128 and the signal's number of what a signal ended.
fn of_code(code: i64) -> ExitStatus {
    let code = i32::try_from(code).unwrap_or(255);
    ExitStatus::from_raw(if code > 128 { code - 128 } else { code << 8 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_ends_as_a_process_would() {
        assert!(of_code(0).success());
        assert_eq!(of_code(3).code(), Some(3));
        assert_eq!(of_code(137).signal(), Some(Signal::KILL.as_raw()));
    }
}
