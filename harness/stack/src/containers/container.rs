//! A service as a container: created once, then started as often as the service is.

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

use super::docker::{ContainerError, context, run_uncancelled, status};
use super::network::Network;
use crate::launch::{LaunchSpec, ProcessSignal, Started};
use crate::process_identity::ProcessIdentity;

/// How long the rest of the output may take to arrive after the container has exited.
const LOG_DRAIN: Duration = Duration::from_secs(1);

/// The pause before Docker is asked for an exit status again after a failed request.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// The output of a container.
pub(super) type LogStream = Pin<Box<dyn Stream<Item = Result<LogOutput, DockerError>> + Send>>;

/// A container of a stack.
#[derive(Clone)]
pub(crate) struct Container {
    pub(super) network: Arc<Network>,
    image: String,
    /// A port of this machine, and the port of the container that it forwards to.
    published: Option<(u16, u16)>,
    /// Where the stack's volume is mounted.
    volume: Option<&'static str>,
    created: Arc<OnceCell<()>>,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("image", &self.image)
            .field("published", &self.published)
            .finish_non_exhaustive()
    }
}

impl Container {
    /// A container of an image, not created yet.
    pub(crate) fn new(network: &Arc<Network>, image: &str) -> Self {
        Self {
            network: Arc::clone(network),
            image: image.to_owned(),
            published: None,
            volume: None,
            created: Arc::default(),
        }
    }

    /// Forwards a port of this machine to a port of the container.
    pub(crate) fn publishing(mut self, host_port: u16, container_port: u16) -> Self {
        self.published = Some((host_port, container_port));
        self
    }

    /// Mounts the stack's volume.
    pub(crate) fn with_volume(mut self, path: &'static str) -> Self {
        self.volume = Some(path);
        self
    }

    fn docker(&self) -> &Docker {
        &self.network.docker
    }

    /// The name of a service's container in Docker.
    pub(super) fn name(&self, spec: &LaunchSpec) -> String {
        format!("{}-{}", self.network.name, spec.name)
    }

    /// Starts the container; its output is appended to the log.
    pub(crate) async fn start(
        &self,
        spec: &LaunchSpec,
        log: &Path,
    ) -> Result<Started, ContainerError> {
        let opened = OpenOptions::new().append(true).open(log);
        let log = opened.map_err(|source| ContainerError::Log {
            path: log.to_owned(),
            source,
        })?;
        let output = self.create_and_start(spec).await?;
        let name = self.name(spec);
        let inspected = self
            .docker()
            .inspect_container(&name, None::<InspectContainerOptions>)
            .await
            .map_err(context(format!("inspect the container '{name}'")))?;
        let pid = inspected.state.and_then(|state| state.pid);
        let pid = pid.and_then(|pid| u32::try_from(pid).ok());
        let identity = ProcessIdentity::from_pid(pid.unwrap_or(0));
        let (exited, exit) = watch::channel(None);
        let docker = self.docker().clone();
        tokio::spawn(async move {
            let status = follow(&docker, &name, output, log).await;
            exited.send_replace(Some(status));
        });
        Ok(Started { identity, exit })
    }

    /// Creates the container if necessary, attaches to its output, and starts it.
    pub(super) async fn create_and_start(
        &self,
        spec: &LaunchSpec,
    ) -> Result<LogStream, ContainerError> {
        let name = self.name(spec);
        self.created
            .get_or_try_init(|| self.create(&name, spec))
            .await?;
        let options = AttachContainerOptionsBuilder::new()
            .stream(true)
            .stdout(true)
            .stderr(true)
            .build();
        let attached = self
            .docker()
            .attach_container(&name, Some(options))
            .await
            .map_err(context(format!("attach to the container '{name}'")))?;
        self.docker()
            .start_container(&name, None::<StartContainerOptions>)
            .await
            .map_err(context(format!("start the container '{name}'")))?;
        Ok(attached.output)
    }

    async fn create(&self, name: &str, spec: &LaunchSpec) -> Result<(), ContainerError> {
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let (docker, body) = (self.docker().clone(), self.create_body(spec));
        let failed = context(format!("create the container '{name}'"));
        let work = Box::pin(async move {
            let created = docker.create_container(Some(options), body).await;
            created.map(drop).map_err(failed)
        });
        run_uncancelled(&self.network.creation_lock, work).await
    }

    fn create_body(&self, spec: &LaunchSpec) -> ContainerCreateBody {
        let args = spec
            .args
            .iter()
            .map(|arg| arg.to_string_lossy().into_owned());
        let environment = spec.environment.iter();
        let endpoint = EndpointSettings {
            aliases: Some(vec![spec.name.clone()]),
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
            hostname: Some(spec.name.clone()),
            exposed_ports: self.published.map(|(_, port)| vec![format!("{port}/tcp")]),
            networking_config: Some(NetworkingConfig {
                endpoints_config: Some([(self.network.name.clone(), endpoint)].into()),
            }),
            host_config: Some(self.host_config()),
            ..ContainerCreateBody::default()
        }
    }

    fn host_config(&self) -> HostConfig {
        let binding = |(host_port, container_port): (u16, u16)| {
            let binding = PortBinding {
                host_ip: Some("127.0.0.1".to_owned()),
                host_port: Some(host_port.to_string()),
            };
            [(format!("{container_port}/tcp"), Some(vec![binding]))].into()
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

    /// Sends a signal to the container; one that has exited is not an error.
    pub(crate) async fn signal(
        &self,
        spec: &LaunchSpec,
        signal: ProcessSignal,
    ) -> Result<(), ContainerError> {
        let name = self.name(spec);
        let outcome = match signal {
            ProcessSignal::Terminate => self.kill(&name, spec.stop_signal).await,
            ProcessSignal::Kill => self.kill(&name, Signal::KILL).await,
            ProcessSignal::Pause => self.docker().pause_container(&name).await,
            ProcessSignal::Resume if !self.is_paused(&name).await => Ok(()),
            ProcessSignal::Resume => self.docker().unpause_container(&name).await,
        };
        match outcome {
            // 409: the container is not running.
            Err(error) if status(&error) == Some(409) => Ok(()),
            outcome => outcome.map_err(context(format!(
                "signal the container '{name}' ({signal:?})"
            ))),
        }
    }

    async fn kill(&self, name: &str, signal: Signal) -> Result<(), DockerError> {
        let options = KillContainerOptionsBuilder::new()
            .signal(&signal.as_raw().to_string())
            .build();
        self.docker().kill_container(name, Some(options)).await
    }

    async fn is_paused(&self, name: &str) -> bool {
        let inspected = self
            .docker()
            .inspect_container(name, None::<InspectContainerOptions>)
            .await;
        inspected.is_ok_and(|container| {
            let status = container.state.and_then(|state| state.status);
            status == Some(ContainerStateStatusEnum::PAUSED)
        })
    }
}

/// Copies the output of a container to its log, and waits for its exit.
async fn follow(docker: &Docker, name: &str, output: LogStream, log: File) -> ExitStatus {
    let mut copying = pin!(copy(output, log));
    let mut exited = pin!(exit_status(docker, name));
    tokio::select! {
        () = &mut copying => exited.await,
        status = &mut exited => {
            let _ = timeout(LOG_DRAIN, copying).await;
            status
        }
    }
}

async fn copy(mut output: LogStream, mut log: File) {
    while let Some(Ok(chunk)) = output.next().await {
        if let Err(error) = log.write_all(chunk.as_ref()) {
            tracing::warn!(%error, "the output of a container cannot be written to its log");
            return;
        }
    }
}

/// Waits for the exit status; a container that was removed meanwhile counts as killed.
pub(super) async fn exit_status(docker: &Docker, name: &str) -> ExitStatus {
    loop {
        let mut waiting = pin!(docker.wait_container(name, None::<WaitContainerOptions>));
        match waiting.next().await {
            Some(Ok(answer)) => return from_code(answer.status_code),
            Some(Err(DockerError::DockerContainerWaitError { code, .. })) => {
                return from_code(code);
            }
            Some(Err(error)) if status(&error) == Some(404) => {
                return ExitStatus::from_raw(Signal::KILL.as_raw());
            }
            // The daemon may be restarting; it knows the status afterwards.
            Some(Err(_)) | None => sleep(RETRY_DELAY).await,
        }
    }
}

/// Docker reports an exit by signal as 128 plus the number of the signal.
fn from_code(code: i64) -> ExitStatus {
    let code = i32::try_from(code).unwrap_or(255);
    ExitStatus::from_raw(if code > 128 { code - 128 } else { code << 8 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_of_docker_becomes_the_exit_status_of_a_process() {
        assert!(from_code(0).success());
        assert_eq!(from_code(3).code(), Some(3));
        assert_eq!(from_code(137).signal(), Some(Signal::KILL.as_raw()));
    }
}
