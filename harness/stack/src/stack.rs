//! A running stack, and the operations that a check may perform on it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_fault::Links;
use futures::future::{join_all, try_join_all};
use time::OffsetDateTime;
use tokio::sync::Mutex as AsyncMutex;
use url::Url;

use super::address::{local, origin};
use super::launch::OneShotOutcome;
use super::links::StackLinks;
use super::ports::Ports;
use super::services::{OneShot, Service, ServiceError};
use super::spec::{Overrides, ServiceTemplate, StackSpec, apply};
use super::stack_dir::{StackDir, StackDirError, stacks_under, teardown};
use super::stack_error::StackError;
use super::stack_info::StackInfo;
use super::state::{Owner, StackState};
use super::system::Environment;
use super::workers::{Worker, WorkerPool};

/// A running stack; dropping it stops its processes and removes its directory.
#[derive(Debug)]
pub struct Stack {
    pub(crate) info: StackInfo,
    pub(crate) postgres: Service,
    pub(crate) standins: Service,
    pub(crate) api: Service,
    pub(crate) workers: Mutex<Vec<Arc<Worker>>>,
    /// Serialises changes of the number of workers.
    pub(crate) scaling: AsyncMutex<()>,
    pub(crate) worker_pool: WorkerPool,
    pub(crate) links: StackLinks,
    pub(crate) ports: Ports,
    pub(crate) dir: Arc<StackDir>,
}

impl Stack {
    /// The addresses and credentials of the stack, with the processes it was started with.
    pub fn info(&self) -> &StackInfo {
        &self.info
    }

    /// The description from which the stack was started.
    pub fn spec(&self) -> &StackSpec {
        &self.worker_pool.spec
    }

    /// PostgreSQL.
    pub fn postgres(&self) -> &Service {
        &self.postgres
    }

    /// The stand-ins.
    pub fn standins(&self) -> &Service {
        &self.standins
    }

    /// The API.
    pub fn api(&self) -> &Service {
        &self.api
    }

    /// The links between its services; none on a stack without links.
    pub fn links(&self) -> &Links {
        &self.links.links
    }

    /// The current workers.
    pub fn workers(&self) -> Vec<Arc<Worker>> {
        self.workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Starts workers, or shuts the newest ones down, until there are `count`.
    pub async fn scale_workers(&self, count: usize) -> Result<(), StackError> {
        let _scaling = self.scaling.lock().await;
        let missing = count.saturating_sub(self.workers().len());
        let spawned = try_join_all((0..missing).map(|_| self.worker_pool.spawn(&self.ports)));
        let spawned = spawned.await?;
        let surplus = {
            let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
            workers.extend(spawned);
            workers.split_off(count)
        };
        let grace = self.spec().shutdown_timeout + SHUTDOWN_MARGIN;
        try_join_all(surplus.iter().map(|worker| worker.shut_down(grace))).await?;
        Ok(())
    }

    /// Runs a command of the pipeline with changes to its environment, until it exits or the deadline passes.
    ///
    /// The command gets its own addresses, so that it does not conflict with the running services.
    pub async fn run_one_shot(
        &self,
        args: &[&str],
        overrides: &Overrides,
        deadline: Duration,
    ) -> Result<OneShotOutcome, StackError> {
        let backend = &self.worker_pool.backend;
        let environments = &self.worker_pool.environments;
        let mut environment = match args {
            [first, ..] if *first == self.spec().worker.subcommand => environments.worker.clone(),
            _ => environments.api.clone(),
        };
        for service in [&self.spec().api, &self.spec().worker] {
            let address = backend.bind_address(local(self.ports.take()?));
            environment.insert(service.address_variable.to_owned(), address.to_string());
        }
        apply(&mut environment, overrides);
        let one_shot = OneShot {
            name: "reference",
            args,
            environment: &environment,
            timeout: deadline,
        };
        let outcome = backend.run_one_shot(self.spec(), &self.dir, &one_shot);
        Ok(outcome.await?)
    }

    /// Starts another API with changes to its environment, and waits until it is ready.
    ///
    /// It runs until [`ExtraApi::end`] is called or the stack stops.
    pub async fn start_extra_api(&self, overrides: &Overrides) -> Result<ExtraApi, StackError> {
        let environment = self.worker_pool.environments.api.clone();
        let template = &self.spec().api;
        self.start_extra(template, "api", environment, overrides)
            .await
    }

    /// Starts another worker with changes to its environment, and waits until it is ready.
    ///
    /// It runs until [`ExtraApi::end`] is called or the stack stops. Its origin has the private routes only.
    pub async fn start_extra_worker(&self, overrides: &Overrides) -> Result<ExtraApi, StackError> {
        let environment = self.worker_pool.environments.worker.clone();
        let template = &self.spec().worker;
        self.start_extra(template, "worker", environment, overrides)
            .await
    }

    async fn start_extra(
        &self,
        template: &ServiceTemplate,
        name: &str,
        mut environment: Environment,
        overrides: &Overrides,
    ) -> Result<ExtraApi, StackError> {
        apply(&mut environment, overrides);
        let address = local(self.ports.take()?);
        let service_spec = self.worker_pool.backend.service_spec(
            template,
            format!("{name}-extra-{}", address.port()),
            self.spec(),
            &environment,
            address,
        );
        let extra_api = ExtraApi {
            service: Service::new(service_spec, Arc::clone(&self.dir))?,
            url: origin(address)?,
        };
        extra_api.service.start().await?;
        Ok(extra_api)
    }

    /// Whether all services of the stack are ready and none is paused.
    pub async fn is_healthy(&self) -> bool {
        let workers = self.workers();
        let mut services = vec![&self.postgres, &self.standins, &self.api];
        services.extend(workers.iter().map(|worker| &worker.service));
        // A paused service does not answer; polling it would only wait for the timeout.
        services.iter().all(|service| !service.is_paused())
            && join_all(services.iter().map(|service| service.is_ready()))
                .await
                .into_iter()
                .all(|is_ready| is_ready)
    }

    /// Stops all processes and removes the directory; does nothing the second time.
    pub async fn stop(&self) -> Result<(), StackError> {
        let stack_dir = Arc::clone(&self.dir);
        Ok(tokio::task::spawn_blocking(move || stack_dir.teardown()).await??)
    }

    /// Leaves the stack running for other processes until the time to live has passed.
    pub fn detach(self, time_to_live: Duration) -> Result<StackInfo, StackError> {
        let until = OffsetDateTime::now_utc() + time_to_live;
        self.dir.transfer_ownership(Owner::Lease { until })?;
        Ok(self.info)
    }
}

/// How much longer than its own shutdown timeout a worker may take to exit.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(2);

/// A stack is unusable without one of these. In a stack of containers, only the stand-ins are registered processes.
const ESSENTIAL: [&str; 3] = ["postgres", "api", "standins"];

/// The newest stack under a root that was detached and whose lease has not expired.
pub fn newest_leased(root: &Path) -> Option<StackInfo> {
    let now = OffsetDateTime::now_utc();
    stacks_under(root)
        .ok()?
        .into_iter()
        .filter(|(_, state)| is_leased(state, now))
        .filter_map(|(directory, _)| StackInfo::read(&directory).ok())
        .max_by_key(|info| info.started_at)
}

fn is_leased(state: &StackState, now: OffsetDateTime) -> bool {
    let leased = match state.owner {
        Owner::Lease { until } => until > now,
        Owner::Process(_) => false,
    };
    leased
        && state
            .processes
            .iter()
            .filter(|entry| ESSENTIAL.contains(&entry.name.as_str()))
            .any(|entry| entry.identity.is_alive())
}

/// Stops a stack that another process started.
pub async fn stop_by_directory(directory: &Path) -> Result<(), StackError> {
    let directory = directory.to_owned();
    let stopped = tokio::task::spawn_blocking(move || {
        let state = StackState::read(&directory).map_err(StackDirError::from)?;
        teardown(&directory, &state)
    });
    stopped.await??;
    Ok(())
}

/// An API that runs in addition to the stack's own.
#[derive(Debug)]
pub struct ExtraApi {
    service: Service,
    url: Url,
}

impl ExtraApi {
    /// Its origin.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Kills it.
    pub async fn end(self) -> Result<(), ServiceError> {
        self.service.kill().await.map(drop)
    }
}
