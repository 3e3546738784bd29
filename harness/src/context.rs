//! What a check gets: the doors of the system under test, and nothing else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_reports::record::{Evidence, Observation};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

use crate::capability::Capability;
use crate::check::Check;
use crate::contract::{Contract, Pipeline, Unsent};
use crate::identity::{Minter, Tenant};
use crate::journal::Recorder;
use crate::lane::{Lane, LaneError};
use crate::probe::{Database, Http, Logs, Sight, Storage, eventually};
use crate::secret::Secret;
use crate::stack::Stack;
use crate::standin::StandinClient;
use crate::stop::{CheckResult, Stop};

/// What a check gets. Every door records what goes through it as evidence.
pub struct Context {
    check: Arc<Check>,
    lane: Arc<Lane>,
    recorder: Recorder,
    standins: StandinClient,
    rng: Mutex<StdRng>,
    unsent: Unsent,
}

impl Context {
    pub(crate) fn new(check: Arc<Check>, lane: Arc<Lane>, recorder: Recorder, seed: &str) -> Self {
        let rng = Mutex::new(StdRng::from_seed(Sha256::digest(seed).into()));
        Self {
            standins: lane.standins().recording(recorder.clone()),
            check,
            lane,
            recorder,
            rng,
            unsent: Unsent::default(),
        }
    }

    /// The contract that the system under test is held to.
    pub fn contract(&self) -> &Contract {
        self.lane.contract()
    }

    /// A tenant that nobody has used before.
    pub fn tenant(&self) -> CheckResult<Tenant> {
        let user = uuid::Builder::from_random_bytes(self.random()).into_uuid();
        Ok(self.lane.minter().tenant(user)?)
    }

    /// What gives tokens, good ones and such that must be refused.
    pub fn minter(&self) -> &Minter {
        self.lane.minter()
    }

    /// The pipeline, as a fresh tenant sees it.
    pub fn pipeline(&self) -> CheckResult<Pipeline> {
        self.pipeline_as(self.tenant()?)
    }

    /// The pipeline, as this tenant sees it.
    pub fn pipeline_as(&self, tenant: Tenant) -> CheckResult<Pipeline> {
        self.open(Capability::Http)?;
        let http = Http::new(self.lane.http().clone(), "api", self.recorder.clone());
        let api = self.lane.card().api_url.clone();
        Ok(Pipeline::new(http, self.lane.shared_contract(), api, tenant).noting(&self.unsent))
    }

    /// Takes back what the check has begun and left for others to wait for.
    pub(crate) async fn clean_up(&self) {
        if let Ok(pipeline) = self.pipeline() {
            pipeline.take_back_unsent(&self.unsent).await;
        }
    }

    /// The database, read only.
    pub fn database(&self) -> CheckResult<Database> {
        self.open(Capability::Database)?;
        Ok(Database::new(
            self.lane.pool(),
            &self.contract().database.schema,
            self.recorder.clone(),
        ))
    }

    /// The objects, with the service's own key.
    pub fn storage(&self) -> CheckResult<Storage> {
        self.open(Capability::Storage)?;
        let http = Http::new(self.lane.http().clone(), "storage", self.recorder.clone());
        let supabase = &self.lane.card().supabase;
        Ok(Storage::new(
            http,
            supabase.url.clone(),
            supabase.service_role_key.clone(),
        ))
    }

    /// The stand-ins of parser, embedder, storage and identity.
    pub fn standins(&self) -> CheckResult<&StandinClient> {
        self.open(Capability::Standins)?;
        Ok(&self.standins)
    }

    /// The processes of the check's own stack.
    pub fn processes(&self) -> CheckResult<&Stack> {
        self.open(Capability::Processes)?;
        self.lane.own_stack().ok_or_else(|| {
            Stop::Error(
                LaneError::Shared {
                    check: self.check.name,
                }
                .into(),
            )
        })
    }

    /// What the API and the workers wrote, on a stack of one's own or a shared one.
    pub fn logs(&self) -> CheckResult<Logs> {
        self.open(Capability::Logs)?;
        let card = self.lane.card();
        let processes = std::iter::once(&card.api).chain(&card.workers);
        Ok(Logs::new(processes, self.recorder.clone()))
    }

    /// The secrets of the stack with their names, for a check that looks for them where they must not be.
    pub fn secrets(&self) -> CheckResult<impl Iterator<Item = (&'static str, &Secret)>> {
        self.open(Capability::Logs)?;
        Ok(self.lane.card().named_secrets())
    }

    /// Waits until `look` sees something; it is a finding when it never does.
    pub async fn eventually<S: Sight>(
        &self,
        what: &str,
        within: Duration,
        look: impl AsyncFnMut() -> CheckResult<S>,
    ) -> CheckResult<S::Seen> {
        eventually(&self.recorder, what, within, look).await
    }

    /// Records something that was seen.
    pub fn observe(&self, surface: &str, summary: impl Into<String>, value: serde_json::Value) {
        let observation = Observation {
            surface: surface.to_owned(),
            summary: summary.into(),
            value,
        };
        self.recorder.record(Evidence::Observed(observation));
    }

    /// Bytes that nobody can guess, and that the run's seed gives again.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        bytes
    }

    /// A door opens only for a check that declared it: a plan that says what a run
    /// needs must not be wrong.
    fn open(&self, capability: Capability) -> CheckResult {
        if self.check.needs.contains(&capability) {
            return Ok(());
        }
        Err(Stop::Error(
            LaneError::Undeclared {
                check: self.check.name,
                capability,
            }
            .into(),
        ))
    }
}
