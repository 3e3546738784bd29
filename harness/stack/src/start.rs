//! Starts a stack: what does not depend on each other starts at the same time.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use rustix::process::Signal;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::Mutex as AsyncMutex;

use super::address::{local, origin};
use super::containers::{self, ContainerError};
use super::credentials::Credentials;
use super::ground::{Ground, Trip};
use super::info::{ProcessInfo, StackInfo, StackKind};
use super::ledger::write_private;
use super::mark::ProcessIdentity;
use super::ports::{NoPort, Ports, address_in_use};
use super::postgres::{FindError, Installation, TemplateError, UserAccountError};
use super::process::{Body, Child, Process, ProcessError, Recipe, require_success};
use super::readiness::{Readiness, endpoints_in};
use super::running::{Stack, Worker, WorkerPool};
use super::site::{StackDir, StackDirError};
use super::spec::{CommandLine, Images, StackSpec};
use super::system::{Endpoints, Environment, StandinPlacement, SystemError};

/// The stand-in at which the others are programmed.
const CONTROL: &str = "control";

/// How often a stack is started with other ports when somebody took one of its own.
const TRIES: usize = 3;

/// How long the migration may take.
const MIGRATION: Duration = Duration::from_secs(30);

/// A stack that could not be started, changed or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// PostgreSQL is not installed where we look.
    #[error(transparent)]
    Find(#[from] FindError),
    /// There is no account to run PostgreSQL as.
    #[error(transparent)]
    Account(#[from] UserAccountError),
    /// The cluster could not be made.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A process did not do as it was told.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Docker is not there, has no image, or does not do as it was told.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The stack's directory could not be made or removed.
    #[error(transparent)]
    StackDir(#[from] StackDirError),
    /// There is no free port.
    #[error(transparent)]
    Port(#[from] NoPort),
    /// The services of the stack could not be configured.
    #[error("configure the services of the stack")]
    System(#[source] SystemError),
    /// An address is not a URL.
    #[error("put an address of the stack into a URL")]
    Url(#[from] url::ParseError),
    /// A blocking step was cut short.
    #[error("finish a step of the stack")]
    CutShort(#[from] tokio::task::JoinError),
    /// The stand-ins serve, but their endpoints are not in their log.
    #[error("read the endpoints of the stand-ins in their log")]
    NoEndpoints,
}

impl StackError {
    /// Whether other ports may help.
    fn is_about_ports(&self) -> bool {
        if let Self::Process(ProcessError::Died { tail, .. }) = self {
            return address_in_use(tail);
        }
        matches!(
            self,
            Self::Container(error) | Self::Process(ProcessError::Container(error))
                if error.is_about_ports()
        )
    }
}

/// Whether what a stack of this kind runs on is there; blocking.
pub fn preflight(kind: StackKind, images: &Images) -> Result<(), StackError> {
    match kind {
        StackKind::Processes => Installation::find().map(drop)?,
        StackKind::Containers => containers::preflight(images)?,
    }
    Ok(())
}

impl Stack {
    /// Starts a stack and waits until all of it serves.
    pub async fn start(spec: &StackSpec) -> Result<Self, StackError> {
        let mut tried = 1;
        loop {
            // It is large, and so would be everything that waits for it.
            match Box::pin(StackBuilder::new(spec)?.start()).await {
                Err(error) if error.is_about_ports() && tried < TRIES => tried += 1,
                outcome => return outcome,
            }
        }
    }
}

/// A stack before it is one: dropping it ends what was started.
struct StackBuilder<'a> {
    spec: &'a StackSpec,
    site: Arc<StackDir>,
    ports: Ports,
    credentials: Credentials,
    timer: StepTimer,
}

impl<'a> StackBuilder<'a> {
    fn new(spec: &'a StackSpec) -> Result<Self, StackError> {
        let site = Arc::new(StackDir::create(&spec.root)?);
        Ok(Self {
            spec,
            timer: StepTimer::start(site.id()),
            site,
            ports: Ports::default(),
            credentials: spec.system.credentials().map_err(StackError::System)?,
        })
    }

    async fn start(mut self) -> Result<Stack, StackError> {
        let ground = Ground::prepare(self.spec, &self.site).await?;
        self.timer.step("ground");
        let api_address = local(self.ports.take()?);
        let api_url = origin(api_address)?;
        // Both are waited for even if one fails: nothing is still being made when the directory goes.
        let (database, standins) = tokio::join!(
            self.database(&ground),
            self.standins(ground.standins_listen())
        );
        let ((postgres, credentials), (standin_process, endpoints)) = (database?, standins?);
        self.credentials = credentials;
        let system = &self.spec.system;
        let environment = system
            .service_environment(&self.credentials, &endpoints, &api_url)
            .map_err(StackError::System)?;
        let (api, name) = (&self.spec.api, "api".to_owned());
        let recipe = ground.part(api, name, self.spec, &environment, api_address);
        let api = Process::new(recipe, Arc::clone(&self.site))?;
        let crew = WorkerPool::new(
            self.spec.clone(),
            Arc::clone(&self.site),
            ground,
            environment,
        );
        let (workers, ()) = tokio::try_join!(
            try_join_all((0..self.spec.workers).map(|_| crew.spawn(&self.ports))),
            async { Ok(api.start().await?) },
        )?;
        self.timer.step("pipeline");

        let info = StackInfo {
            id: self.site.id().to_owned(),
            kind: crew.ground().kind(),
            directory: self.site.directory().to_owned(),
            started_at: OffsetDateTime::now_utc(),
            api: process_info(&api, Some(api_url.clone())),
            workers: workers.iter().map(worker_info).collect(),
            postgres: process_info(&postgres, None),
            standin_process: process_info(&standin_process, endpoints.get(CONTROL).cloned()),
            endpoints,
            credentials: self.credentials,
            api_url,
        };
        info.write().map_err(StackDirError::from)?;
        Ok(Stack {
            info,
            postgres,
            standins: standin_process,
            api,
            workers: Mutex::new(workers),
            scaling: AsyncMutex::new(()),
            crew,
            ports: self.ports,
            site: self.site,
        })
    }

    /// The database with its schema, and every secret of the stack.
    async fn database(&self, ground: &Ground) -> Result<(Process, Credentials), StackError> {
        let port = self.ports.take()?;
        let database = ground
            .database(&self.site, port, self.spec.app_role)
            .await?;
        self.timer.step("postgres");
        let mut credentials = self.credentials.clone();
        credentials.extend(database.credentials);
        let environment = self.spec.system.migration_environment(&credentials);
        let trip = Trip {
            name: "migrate",
            args: &[self.spec.migration],
            environment: &environment.map_err(StackError::System)?,
            within: MIGRATION,
        };
        let attempt = ground.trip(self.spec, &self.site, &trip).await?;
        require_success(trip.name, attempt, trip.within)?;
        self.timer.step("migrate");
        Ok((database.process, credentials))
    }

    /// The stand-ins and where they are; they keep their ports when they restart.
    async fn standins(&self, bind: IpAddr) -> Result<(Process, Endpoints), StackError> {
        let names = self.spec.standin_names.iter();
        let ports = names.map(|name| Ok(((*name).to_owned(), self.ports.take()?)));
        let placement = StandinPlacement {
            bind,
            ports: ports.collect::<Result<_, NoPort>>()?,
            storage: self.site.storage(),
        };
        let system = &self.spec.system;
        let settings = system
            .standin_settings(&self.credentials, placement)
            .map_err(StackError::System)?;
        let process = start_standins(&self.spec.standins, &settings, &self.site).await?;
        self.timer.step("standins");
        let endpoints = endpoints_in(process.log_path(), process.log_from());
        Ok((process, endpoints.ok_or(StackError::NoEndpoints)?))
    }
}

/// Starts the stand-ins with these settings on their standard input, and waits until they serve.
pub(crate) async fn start_standins(
    program: &CommandLine,
    settings: &Value,
    site: &Arc<StackDir>,
) -> Result<Process, StackError> {
    let file = site.directory().join("standins.json");
    write_private(&file, settings).map_err(StackDirError::from)?;
    let recipe = Recipe {
        name: "standins".to_owned(),
        args: program.args.clone(),
        environment: Environment::new(),
        readiness: Readiness::Endpoints,
        graceful: Signal::TERM,
        body: Body::Child(Child {
            input: Some(file),
            ..Child::of(&program.program)
        }),
    };
    let process = Process::new(recipe, Arc::clone(site))?;
    process.start().await?;
    Ok(process)
}

fn process_info(process: &Process, url: Option<url::Url>) -> ProcessInfo {
    let never = ProcessIdentity {
        pid: 0,
        started: None,
    };
    ProcessInfo {
        name: process.name().to_owned(),
        mark: process.mark().unwrap_or(never),
        url,
        log: process.log_path().to_owned(),
    }
}

fn worker_info(worker: &Arc<Worker>) -> ProcessInfo {
    process_info(&worker.process, Some(worker.url.clone()))
}

/// Tells the log how long each step took, from the beginning.
struct StepTimer {
    stack: String,
    started: Instant,
}

impl StepTimer {
    fn start(stack: &str) -> Self {
        Self {
            stack: stack.to_owned(),
            started: Instant::now(),
        }
    }

    fn step(&self, step: &str) {
        let elapsed = self.started.elapsed();
        tracing::debug!(stack = %self.stack, step, ?elapsed, "a step of the stack's start is done");
    }
}
