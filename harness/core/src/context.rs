//! What a check gets: the doors of the system under test, and nothing else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_reports::record::{Evidence, Observation};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::capability::Capability;
use crate::control_action::ControlAction;
use crate::lane::{LaneError, SutClients};
use cutover_contract::contract::{Contract, CreatedDocuments, Pipeline};
use cutover_contract::identity::{Minter, Tenant};
use cutover_contract::probe::{Database, IntoPoll, Logs, Storage, eventually};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;
use cutover_fault::{LinkName, Traffic};
use cutover_stack::Stack;

use crate::safety::Safeguards;
use cutover_contract::standin::StandinClient;
use cutover_evidence::stop::{CheckResult, Stop};

/// What the table of its suite says about a check that is run.
#[derive(Clone, Debug)]
pub(crate) struct CheckNeeds {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it requires.
    pub(crate) needs: Vec<Capability>,
}

/// What a check gets. Every door records what goes through it as evidence.
pub struct Context {
    check: CheckNeeds,
    lane: Arc<SutClients>,
    recorder: Recorder,
    standins: Option<StandinClient>,
    rng: Mutex<StdRng>,
    taken: Mutex<Vec<Tenant>>,
    created: CreatedDocuments,
}

impl Context {
    pub(crate) fn new(
        check: CheckNeeds,
        lane: Arc<SutClients>,
        recorder: Recorder,
        seed: &str,
    ) -> Self {
        let rng = Mutex::new(StdRng::from_seed(Sha256::digest(seed).into()));
        Self {
            standins: lane
                .standins()
                .map(|standins| standins.recording(recorder.clone())),
            taken: Mutex::default(),
            created: CreatedDocuments::in_log(lane.safeguards().map(Safeguards::creation_log)),
            check,
            lane,
            recorder,
            rng,
        }
    }

    /// The contract that the system under test is held to.
    pub fn contract(&self) -> &Contract {
        self.lane.contract()
    }

    /// A tenant that nobody else has: one that nobody has used before, where tokens can be minted.
    pub fn tenant(&self) -> CheckResult<Tenant> {
        let user = uuid::Builder::from_random_bytes(self.random()).into_uuid();
        let tenant = self.lane.accounts().acquire(user)?;
        self.taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(tenant.clone());
        Ok(tenant)
    }

    /// What gives tokens, good ones and such that must be refused.
    pub fn minter(&self) -> CheckResult<&Minter> {
        self.through(Capability::Minting, self.lane.accounts().minter())
    }

    /// The pipeline, as a fresh tenant sees it.
    pub fn pipeline(&self) -> CheckResult<Pipeline> {
        self.pipeline_as(self.tenant()?)
    }

    /// The pipeline, as this tenant sees it.
    pub fn pipeline_as(&self, tenant: Tenant) -> CheckResult<Pipeline> {
        self.open(Capability::Http)?;
        let pipeline = self.lane.pipeline(tenant, self.recorder.clone());
        Ok(pipeline.recording_into(&self.created))
    }

    /// Takes back what the check has created, as far as it is to be, and gives its tenants back.
    pub(crate) async fn clean_up(&self) {
        let taken = std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(tenant) = taken.first() {
            let pipeline = self.lane.pipeline(tenant.clone(), self.recorder.clone());
            pipeline.delete_created(&self.created).await;
        }
        self.lane.accounts().release(taken);
    }

    /// The database, read only.
    pub fn database(&self) -> CheckResult<Database> {
        let pool = self.through(Capability::Database, self.lane.pool())?;
        let schema = &self.contract().database.schema;
        Ok(Database::new(pool, schema, self.recorder.clone()))
    }

    /// The objects, with the service's own key.
    pub fn storage(&self) -> CheckResult<Storage> {
        let door = self.through(Capability::Storage, self.lane.connection().storage.clone())?;
        let http = self.lane.probe("storage", self.recorder.clone());
        Ok(Storage::new(http, door.supabase, door.service_key))
    }

    /// The stand-ins of parser, embedder, storage and identity.
    pub fn standins(&self) -> CheckResult<&StandinClient> {
        self.through(Capability::Standins, self.standins.as_ref())
    }

    /// Tells the API or the workers something and waits until it is carried out. Where somebody
    /// else runs them, whatever the check has changed is put back after it.
    pub async fn tell(&self, told: ControlAction) -> CheckResult {
        self.open(told.needs())?;
        self.observe("control", format!("tell the system to {told}"), Value::Null);
        Ok(self.lane.tell(told, &self.recorder).await?)
    }

    /// Puts back what the check has changed, where somebody else runs it.
    pub(crate) async fn put_back(&self) -> anyhow::Result<()> {
        self.lane.put_back(&self.recorder).await
    }

    /// What has passed through a link since the run began; nothing where the target has no such link.
    pub fn traffic(&self, link: LinkName) -> CheckResult<Option<Traffic>> {
        let links = self.through(Capability::Links, self.lane.links())?;
        let mut traffic = links.traffic();
        let found = traffic.find(|(name, _)| *name == link);
        Ok(found.map(|(_, traffic)| traffic))
    }

    /// The static secret of callbacks; a question about it cannot be asked where the target does not say it.
    pub fn callback_token(&self) -> CheckResult<&Secret> {
        let token = self.lane.connection().callback_token.as_ref();
        token.ok_or_else(|| {
            Stop::precondition_missing("the target does not say callback.token, the static secret")
        })
    }

    /// The processes of the check's own stack.
    pub fn processes(&self) -> CheckResult<&Stack> {
        self.open(Capability::Processes)?;
        let check = self.check.name;
        let own = self.lane.own_stack();
        own.ok_or_else(|| Stop::from(LaneError::Shared { check }))
    }

    /// What the API and the workers wrote, on a stack of one's own or a shared one.
    pub fn logs(&self) -> CheckResult<Logs> {
        self.open(Capability::Logs)?;
        let logs = self.lane.connection().logs.iter().cloned();
        Ok(Logs::new(logs, self.recorder.clone()))
    }

    /// The secrets of the stack with their names, for a check that looks for them where they must not be.
    pub fn secrets(&self) -> CheckResult<impl Iterator<Item = (&str, &Secret)>> {
        self.open(Capability::Logs)?;
        let secrets = self.lane.secrets().iter();
        Ok(secrets.map(|(name, secret)| (name.as_str(), secret)))
    }

    /// Waits until `look` sees something; it is a finding when it never does.
    pub async fn eventually<S: IntoPoll>(
        &self,
        what: &str,
        within: Duration,
        look: impl AsyncFnMut() -> CheckResult<S>,
    ) -> CheckResult<S::Ready> {
        eventually(&self.recorder, what, within, look).await
    }

    /// Records something that was seen.
    pub fn observe(&self, surface: &str, summary: impl Into<String>, value: Value) {
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

    /// What is behind a door that the check declared and the target gives.
    fn through<T>(&self, capability: Capability, behind: Option<T>) -> CheckResult<T> {
        self.open(capability)?;
        let check = self.check.name;
        behind.ok_or_else(|| Stop::from(LaneError::Closed { check, capability }))
    }

    /// A door opens only for a check that declared it: a plan that says what a run
    /// needs must not be wrong.
    fn open(&self, capability: Capability) -> CheckResult {
        if self.check.needs.contains(&capability) {
            return Ok(());
        }
        let check = self.check.name;
        Err(LaneError::Undeclared { check, capability }.into())
    }
}
