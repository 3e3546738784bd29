//! The workers of a stack, which can be added and shut down while the stack runs.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use url::Url;

use super::address::{local, origin};
use super::backend::Backend;
use super::ports::Ports;
use super::services::{Service, ServiceError};
use super::spec::StackSpec;
use super::stack_dir::StackDir;
use super::stack_error::StackError;
use super::system::Environment;

/// A worker of a stack.
#[derive(Debug)]
pub struct Worker {
    pub(crate) service: Service,
    pub(crate) url: Url,
}

impl Worker {
    /// The origin of its private `/health`, `/version` and `/metrics`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Requests a graceful shutdown, and kills the worker if it does not exit in time.
    pub(crate) async fn shut_down(&self, grace: Duration) -> Result<(), ServiceError> {
        if !self.service.is_running() {
            return Ok(());
        }
        match self.service.terminate(grace).await {
            Err(ServiceError::StillRunning { .. }) => self.service.kill().await.map(drop),
            outcome => outcome.map(drop),
        }
    }
}

impl Deref for Worker {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

/// The environment variables of the services of the pipeline.
#[derive(Debug)]
pub(crate) struct Environments {
    pub(crate) api: Environment,
    pub(crate) worker: Environment,
}

/// Starts the workers of a stack and gives each a unique name.
#[derive(Debug)]
pub(crate) struct WorkerPool {
    pub(crate) spec: StackSpec,
    pub(crate) backend: Backend,
    pub(crate) environments: Environments,
    stack_dir: Arc<StackDir>,
    spawned: AtomicUsize,
}

impl WorkerPool {
    pub(crate) fn new(
        spec: StackSpec,
        stack_dir: Arc<StackDir>,
        backend: Backend,
        environments: Environments,
    ) -> Self {
        Self {
            spec,
            backend,
            environments,
            stack_dir,
            spawned: AtomicUsize::new(0),
        }
    }

    /// Starts one more worker and waits until it is ready.
    pub(crate) async fn spawn(&self, ports: &Ports) -> Result<Arc<Worker>, StackError> {
        let number = self.spawned.fetch_add(1, Ordering::Relaxed) + 1;
        let address = local(ports.take()?);
        let service_spec = self.backend.service_spec(
            &self.spec.worker,
            format!("worker-{number}"),
            &self.spec,
            &self.environments.worker,
            address,
        );
        let worker = Worker {
            service: Service::new(service_spec, Arc::clone(&self.stack_dir))?,
            url: origin(address)?,
        };
        worker.service.start().await?;
        Ok(Arc::new(worker))
    }
}
