//! A running stack, and what a check that owns one may do to it.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use time::OffsetDateTime;
use tokio::sync::Mutex as AsyncMutex;
use url::Url;

use super::address::{local, origin};
use super::demolition::teardown;
use super::ground::{Ground, Trip};
use super::info::StackInfo;
use super::ledger::{Ledger, Owner};
use super::ports::Ports;
use super::process::{OneShotOutcome, Process, ProcessError};
use super::site::{StackDir, StackDirError, stacks_under};
use super::spec::{Overrides, StackSpec, apply};
use super::start::StackError;
use super::system::Environment;

/// A running stack; dropping it ends its processes and removes its directory.
#[derive(Debug)]
pub struct Stack {
    pub(crate) info: StackInfo,
    pub(crate) postgres: Process,
    pub(crate) standins: Process,
    pub(crate) api: Process,
    pub(crate) workers: Mutex<Vec<Arc<Worker>>>,
    /// One change of the number of workers at a time.
    pub(crate) scaling: AsyncMutex<()>,
    pub(crate) crew: WorkerPool,
    pub(crate) ports: Ports,
    pub(crate) site: Arc<StackDir>,
}

impl Stack {
    /// Where the stack is and how to get in; its processes are named as they were at the start.
    pub fn info(&self) -> &StackInfo {
        &self.info
    }

    /// What the stack was started as.
    pub fn spec(&self) -> &StackSpec {
        &self.crew.spec
    }

    /// PostgreSQL.
    pub fn postgres(&self) -> &Process {
        &self.postgres
    }

    /// The stand-ins.
    pub fn standins(&self) -> &Process {
        &self.standins
    }

    /// The API.
    pub fn api(&self) -> &Process {
        &self.api
    }

    /// The workers as they are now.
    pub fn workers(&self) -> Vec<Arc<Worker>> {
        self.workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Adds workers, or lets the newest ones end, until there are `count`.
    pub async fn scale_workers(&self, count: usize) -> Result<(), StackError> {
        let _alone = self.scaling.lock().await;
        let now = self.workers();
        let added = count.saturating_sub(now.len());
        let hired = try_join_all((0..added).map(|_| self.crew.spawn(&self.ports))).await?;
        let leaving = {
            let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
            workers.extend(hired);
            workers.split_off(count)
        };
        let grace = self.spec().shutdown_timeout + SHUTDOWN_MARGIN;
        try_join_all(leaving.iter().map(|worker| worker.leave(grace))).await?;
        Ok(())
    }

    /// Runs a part of the pipeline beside the others, with another environment, to see what it does.
    ///
    /// It is given an address of its own, so that the stack's own parts do not stand in its way.
    pub async fn run_one_shot(
        &self,
        args: &[&str],
        overrides: &Overrides,
        deadline: Duration,
    ) -> Result<OneShotOutcome, StackError> {
        let mut environment = self.crew.environment.clone();
        for service in [&self.spec().api, &self.spec().worker] {
            let address = self.crew.ground.listens(local(self.ports.take()?));
            environment.insert(service.address_variable.to_owned(), address.to_string());
        }
        apply(&mut environment, overrides);
        let trip = Trip {
            name: "reference",
            args,
            environment: &environment,
            within: deadline,
        };
        let ground = &self.crew.ground;
        Ok(ground.trip(self.spec(), &self.site, &trip).await?)
    }

    /// Starts another API beside the stack's own, with another environment, and waits until it serves.
    ///
    /// It ends when it is told to, and with the stack at the latest.
    pub async fn start_extra_api(&self, overrides: &Overrides) -> Result<ExtraApi, StackError> {
        let mut environment = self.crew.environment.clone();
        apply(&mut environment, overrides);
        let address = local(self.ports.take()?);
        let name = format!("api-beside-{}", address.port());
        let ground = &self.crew.ground;
        let recipe = ground.part(&self.spec().api, name, self.spec(), &environment, address);
        let beside = ExtraApi {
            process: Process::new(recipe, Arc::clone(&self.site))?,
            url: origin(address)?,
        };
        beside.process.start().await?;
        Ok(beside)
    }

    /// Whether all processes of the stack run, serve and are not paused.
    pub async fn is_healthy(&self) -> bool {
        let workers = self.workers();
        let mut processes = vec![&self.postgres, &self.standins, &self.api];
        processes.extend(workers.iter().map(|worker| &worker.process));
        // A paused process answers nobody; asking it would only take the time until we give up.
        processes.iter().all(|process| !process.is_paused())
            && join_all(processes.iter().map(|process| process.serves()))
                .await
                .into_iter()
                .all(|serves| serves)
    }

    /// Ends all processes and removes the directory; a second call does nothing.
    pub async fn stop(&self) -> Result<(), StackError> {
        let site = Arc::clone(&self.site);
        Ok(tokio::task::spawn_blocking(move || site.teardown()).await??)
    }

    /// Leaves the stack running for other processes, for at most so long.
    pub fn detach(self, time_to_live: Duration) -> Result<StackInfo, StackError> {
        let until = OffsetDateTime::now_utc() + time_to_live;
        self.site.hand_over(Owner::Lease { until })?;
        Ok(self.info)
    }
}

/// What a service gets to shut down beyond the time that it was promised.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(2);

/// Without these a stack is of no use; where the rest are containers, the stand-ins tell.
const VITAL: [&str; 3] = ["postgres", "api", "standins"];

/// The newest stack that was left running under a root, and whose lease has not ended.
pub fn newest_leased(root: &Path) -> Option<StackInfo> {
    let now = OffsetDateTime::now_utc();
    stacks_under(root)
        .ok()?
        .into_iter()
        .filter(|(_, ledger)| is_leased(ledger, now))
        .filter_map(|(directory, _)| StackInfo::read(&directory).ok())
        .max_by_key(|info| info.started_at)
}

fn is_leased(ledger: &Ledger, now: OffsetDateTime) -> bool {
    let leased = match ledger.owner {
        Owner::Lease { until } => until > now,
        Owner::Process(_) => false,
    };
    leased
        && ledger
            .processes
            .iter()
            .filter(|entry| VITAL.contains(&entry.name.as_str()))
            .any(|entry| entry.mark.is_alive())
}

/// Ends a stack that another process started, by its directory.
pub async fn stop_by_directory(directory: &Path) -> Result<(), StackError> {
    let directory = directory.to_owned();
    let ended = tokio::task::spawn_blocking(move || {
        let ledger = Ledger::read(&directory).map_err(StackDirError::from)?;
        teardown(&directory, &ledger)
    });
    ended.await??;
    Ok(())
}

/// An API beside that of the stack.
#[derive(Debug)]
pub struct ExtraApi {
    process: Process,
    url: Url,
}

impl ExtraApi {
    /// Its origin.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Ends it at once.
    pub async fn end(self) -> Result<(), ProcessError> {
        self.process.kill().await.map(drop)
    }
}

/// A worker of a stack.
#[derive(Debug)]
pub struct Worker {
    pub(crate) process: Process,
    pub(crate) url: Url,
}

impl Worker {
    /// The origin of its private `/health`, `/version` and `/metrics`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Ends in good order, or at once where it does not.
    async fn leave(&self, grace: Duration) -> Result<(), ProcessError> {
        if !self.process.is_running() {
            return Ok(());
        }
        match self.process.terminate(grace).await {
            Err(ProcessError::StillRunning { .. }) => self.process.kill().await.map(drop),
            outcome => outcome.map(drop),
        }
    }
}

impl Deref for Worker {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

/// Makes the workers of a stack, each with a name of its own.
#[derive(Debug)]
pub(crate) struct WorkerPool {
    spec: StackSpec,
    site: Arc<StackDir>,
    ground: Ground,
    environment: Environment,
    hired: AtomicUsize,
}

impl WorkerPool {
    pub(crate) fn new(
        spec: StackSpec,
        site: Arc<StackDir>,
        ground: Ground,
        environment: Environment,
    ) -> Self {
        Self {
            spec,
            site,
            ground,
            environment,
            hired: AtomicUsize::new(0),
        }
    }

    /// What the stack runs on.
    pub(crate) fn ground(&self) -> &Ground {
        &self.ground
    }

    /// Starts one more worker and waits until it serves.
    pub(crate) async fn spawn(&self, ports: &Ports) -> Result<Arc<Worker>, StackError> {
        let number = self.hired.fetch_add(1, Ordering::Relaxed) + 1;
        let address: SocketAddr = local(ports.take()?);
        let name = format!("worker-{number}");
        let recipe = self.ground.part(
            &self.spec.worker,
            name,
            &self.spec,
            &self.environment,
            address,
        );
        let worker = Worker {
            process: Process::new(recipe, Arc::clone(&self.site))?,
            url: origin(address)?,
        };
        worker.process.start().await?;
        Ok(Arc::new(worker))
    }
}
