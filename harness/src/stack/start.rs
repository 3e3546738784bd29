//! Starts a stack: what does not depend on each other starts at the same time.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use time::OffsetDateTime;
use tokio::sync::Mutex as AsyncMutex;

use super::card::{ProcessCard, StackCard, StackKind};
use super::containers::{self, ContainerError};
use super::ground::{Database, Ground, Trip};
use super::keys::{KeyError, Keys};
use super::ledger::write_private;
use super::mark::Mark;
use super::ports::{NoPort, Ports, address_in_use};
use super::postgres::{AccountError, FindError, Installation, TemplateError};
use super::process::{Process, ProcessError, require_success};
use super::readiness::card_in;
use super::running::{Crew, Stack, Worker};
use super::site::{Site, SiteError};
use super::spec::{Images, StackSpec};
use super::wiring::{self, Part, STANDINS, local, origin};
use crate::standin::StandinCard;

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
    Account(#[from] AccountError),
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
    Site(#[from] SiteError),
    /// There is no free port.
    #[error(transparent)]
    Port(#[from] NoPort),
    /// The stack's keys could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An address is not a URL.
    #[error("put an address of the stack into a URL")]
    Url(#[from] url::ParseError),
    /// A blocking step was cut short.
    #[error("finish a step of the stack")]
    CutShort(#[from] tokio::task::JoinError),
    /// The stand-ins serve, but their card is gone from their log.
    #[error("read the card of the stand-ins in their log")]
    NoStandinCard,
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
            match Box::pin(Draft::new(spec)?.start()).await {
                Err(error) if error.is_about_ports() && tried < TRIES => tried += 1,
                outcome => return outcome,
            }
        }
    }
}

/// A stack before it is one: dropping it ends what was started.
struct Draft<'a> {
    spec: &'a StackSpec,
    site: Arc<Site>,
    ports: Ports,
    keys: Keys,
    clock: Clock,
}

impl<'a> Draft<'a> {
    fn new(spec: &'a StackSpec) -> Result<Self, StackError> {
        let site = Arc::new(Site::create(&spec.root)?);
        Ok(Self {
            spec,
            clock: Clock::start(site.id()),
            site,
            ports: Ports::default(),
            keys: Keys::generate()?,
        })
    }

    async fn start(self) -> Result<Stack, StackError> {
        let ground = Ground::prepare(self.spec, &self.site).await?;
        self.clock.lap("ground");
        let api_address = local(self.ports.take()?);
        let api_url = origin(api_address)?;
        // Both are waited for even if one fails: nothing is still being made when the directory goes.
        let (database, standins) = tokio::join!(
            self.database(&ground),
            self.standins(ground.standins_listen())
        );
        let (database, (standin_process, standins)) = (database?, standins?);
        let (postgres, database) = (database.process, database.card);
        let environment =
            wiring::pipeline_environment(self.spec, &self.keys, &database, &standins, &api_url);
        let name = "api".to_owned();
        let recipe = ground.part(Part::Api, name, self.spec, &environment, api_address);
        let api = Process::new(recipe, Arc::clone(&self.site))?;
        let crew = Crew::new(
            self.spec.clone(),
            Arc::clone(&self.site),
            ground,
            environment,
        );
        let (workers, ()) = tokio::try_join!(
            try_join_all((0..self.spec.workers).map(|_| crew.hire(&self.ports))),
            async { Ok(api.start().await?) },
        )?;
        self.clock.lap("pipeline");

        let card = StackCard {
            id: self.site.id().to_owned(),
            kind: crew.ground().kind(),
            directory: self.site.directory().to_owned(),
            started_at: OffsetDateTime::now_utc(),
            api: process_card(&api, Some(api_url.clone())),
            workers: workers.iter().map(worker_card).collect(),
            postgres: process_card(&postgres, None),
            standin_process: process_card(&standin_process, Some(standins.control.clone())),
            database,
            supabase: wiring::supabase(&standins, &self.keys),
            standins,
            parser_key: self.keys.parser.clone(),
            embedder_key: self.keys.embedder.clone(),
            callback_secret: self.keys.callback.clone(),
            callback_base: api_url.clone(),
            api_url,
        };
        card.write().map_err(SiteError::from)?;
        Ok(Stack {
            card,
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

    /// The database with its schema.
    async fn database(&self, ground: &Ground) -> Result<Database, StackError> {
        let port = self.ports.take()?;
        let database = ground.database(&self.site, port, &self.keys).await?;
        self.clock.lap("postgres");
        let trip = Trip {
            name: "migrate",
            args: &["migrate"],
            environment: &wiring::migration_environment(self.spec, &self.keys, &database.owner_url),
            within: MIGRATION,
        };
        let attempt = ground.trip(self.spec, &self.site, &trip).await?;
        require_success(trip.name, attempt, trip.within)?;
        self.clock.lap("migrate");
        Ok(database)
    }

    /// The stand-ins and where they are; they keep their ports when they restart.
    async fn standins(&self, listen: IpAddr) -> Result<(Process, StandinCard), StackError> {
        let directory = self.site.directory();
        let ports = STANDINS
            .into_iter()
            .map(|name| Ok((name.to_owned(), self.ports.take()?)))
            .collect::<Result<BTreeMap<_, _>, NoPort>>()?;
        let settings =
            wiring::standin_settings(self.spec, &self.keys, listen, ports, self.site.storage());
        let file = directory.join("standins.json");
        write_private(&file, &settings).map_err(SiteError::from)?;
        let recipe = wiring::standin_recipe(&self.spec.standins, file);
        let process = Process::new(recipe, Arc::clone(&self.site))?;
        process.start().await?;
        self.clock.lap("standins");
        let card = card_in(process.log_path(), process.log_from());
        Ok((process, card.ok_or(StackError::NoStandinCard)?))
    }
}

fn process_card(process: &Process, url: Option<url::Url>) -> ProcessCard {
    let never = Mark {
        pid: 0,
        started: None,
    };
    ProcessCard {
        name: process.name().to_owned(),
        mark: process.mark().unwrap_or(never),
        url,
        log: process.log_path().to_owned(),
    }
}

fn worker_card(worker: &Arc<Worker>) -> ProcessCard {
    process_card(&worker.process, Some(worker.url.clone()))
}

/// Tells the log how long each step took, from the beginning.
struct Clock {
    stack: String,
    started: Instant,
}

impl Clock {
    fn start(stack: &str) -> Self {
        Self {
            stack: stack.to_owned(),
            started: Instant::now(),
        }
    }

    fn lap(&self, step: &str) {
        let elapsed = self.started.elapsed();
        tracing::debug!(stack = %self.stack, step, ?elapsed, "a step of the stack's start is done");
    }
}
