//! The context of a check: the clients it may use, limited to the capabilities that it requires.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cutover_reports::record::{Evidence, Finding, Observation, Trial};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::capability::{Capability, missing_link};
use crate::control_action::ControlAction;
use crate::diagnosis::{Diagnosis, LogPositions};
use crate::resources::{LoadNumber, Loads, Sampler};
use crate::sut_clients::{AccessError, SutClients};
use cutover_contract::contract::{Contract, CreatedDocuments, Pipeline, Read};
use cutover_contract::identity::{Minter, Tenant};
use cutover_contract::probe::{Database, DatabaseWrites, IntoPoll, Logs, Storage, eventually};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;
use cutover_fault::{LinkName, Proxy, Traffic};
use cutover_stack::Stack;

use crate::safety::Safeguards;
use cutover_contract::standin::StandinClient;
use cutover_evidence::stop::{CheckResult, Stop};

/// Why a check of the user's own documents does not run without them.
pub(crate) const NO_CORPUS: &str =
    "the target file names no folder of PDF files ([documents] corpus)";

/// The number of refusals of the stand-ins that are recorded: the newest ones.
const MAX_REFUSALS: usize = 5;

/// The part of a check's table line that its context needs.
#[derive(Clone, Debug)]
pub(crate) struct CheckNeeds {
    /// Its name.
    pub(crate) name: &'static str,
    /// The capabilities that it requires.
    pub(crate) needs: Vec<Capability>,
    /// Whether it may keep the workers or connections of the system waiting.
    pub(crate) may_hold: bool,
    /// The tables and columns that it reads, if its line says so.
    pub(crate) reads: Option<Vec<Read>>,
}

/// What a check can use. Every access is recorded as evidence.
pub struct Context {
    check: CheckNeeds,
    clients: Arc<SutClients>,
    recorder: Recorder,
    standins: Option<StandinClient>,
    rng: Mutex<StdRng>,
    tenants: Mutex<Vec<Tenant>>,
    created: CreatedDocuments,
    reported: Mutex<Vec<Finding>>,
    logs_before: LogPositions,
    loads: Loads,
}

impl Context {
    pub(crate) fn new(
        check: CheckNeeds,
        clients: Arc<SutClients>,
        recorder: Recorder,
        seed: &str,
    ) -> Self {
        let rng = Mutex::new(StdRng::from_seed(Sha256::digest(seed).into()));
        Self {
            standins: clients.standins().map(|standins| {
                let standins = standins.recording(recorder.clone());
                if check.may_hold {
                    standins
                } else {
                    standins.without_holding_callers()
                }
            }),
            tenants: Mutex::default(),
            reported: Mutex::default(),
            created: CreatedDocuments::in_log(clients.safeguards().map(Safeguards::creation_log)),
            logs_before: LogPositions::now(clients.connection()),
            loads: Loads::default(),
            check,
            clients,
            recorder,
            rng,
        }
    }

    /// The contract of the system under test.
    pub fn contract(&self) -> &Contract {
        self.clients.contract()
    }

    /// A tenant for this check alone. Where tokens can be minted, it has never been used before.
    pub fn tenant(&self) -> CheckResult<Tenant> {
        let user = uuid::Builder::from_random_bytes(self.random()).into_uuid();
        let tenant = self.clients.accounts().acquire(user)?;
        self.tenants
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(tenant.clone());
        Ok(tenant)
    }

    /// Signs tokens: valid ones, and invalid ones that the API must reject.
    pub fn minter(&self) -> CheckResult<&Minter> {
        self.granted(Capability::Minting, self.clients.accounts().minter())
    }

    /// The pipeline as a new tenant.
    pub fn pipeline(&self) -> CheckResult<Pipeline> {
        self.pipeline_as(self.tenant()?)
    }

    /// The pipeline as this tenant.
    pub fn pipeline_as(&self, tenant: Tenant) -> CheckResult<Pipeline> {
        self.require(Capability::Http)?;
        let pipeline = self.clients.pipeline(tenant, self.recorder.clone());
        Ok(pipeline.recording_into(&self.created))
    }

    /// Waits until the documents of the check keep no worker of an attached target busy. Returns whether that
    /// is so within the time that a provider may take, and the time that a document may take after it.
    pub(crate) async fn settle(&self) -> bool {
        let first = {
            let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            tenants.first().cloned()
        };
        let Some(tenant) = first else {
            return true;
        };
        let timing = &self.contract().timing;
        let within = timing.provider_timeout + timing.complete_within;
        let pipeline = self.clients.pipeline(tenant, self.recorder.clone());
        pipeline.until_settled(&self.created, within).await
    }

    /// The recorder of the trial.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Records what the system itself reports about the documents of a failed check.
    pub(crate) async fn diagnose(&self) {
        let documents = self.created.ids();
        let diagnosis = Diagnosis::new(&self.clients, &self.recorder, &self.logs_before, documents);
        diagnosis.record().await;
    }

    /// Deletes the documents that the check created where that is required, and releases its tenants.
    pub(crate) async fn clean_up(&self) {
        let tenants =
            std::mem::take(&mut *self.tenants.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(tenant) = tenants.first() {
            let pipeline = self.clients.pipeline(tenant.clone(), self.recorder.clone());
            pipeline.delete_created(&self.created).await;
        }
        self.clients.accounts().release(tenants);
    }

    /// The database, read-only.
    pub fn database(&self) -> CheckResult<Database> {
        let pool = self.granted(Capability::Database, self.clients.pool())?;
        let layout = &self.contract().database;
        let database = Database::new(pool, layout, self.recorder.clone());
        Ok(match &self.check.reads {
            Some(reads) => database.declaring(self.check.name, reads),
            None => database,
        })
    }

    /// Writes to the database of the check's own stack. An attached target has none.
    pub fn own_database(&self) -> CheckResult<DatabaseWrites> {
        self.processes()?;
        let pool = self.granted(Capability::Database, self.clients.pool())?;
        let schema = &self.contract().database.schema;
        Ok(DatabaseWrites::new(pool, schema, self.recorder.clone()))
    }

    /// The object storage, with the service role key.
    pub fn storage(&self) -> CheckResult<Storage> {
        let access = self.granted(
            Capability::Storage,
            self.clients.connection().storage.clone(),
        )?;
        let http = self.clients.probe("storage", self.recorder.clone());
        Ok(Storage::new(http, access.supabase, access.service_key))
    }

    /// The stand-ins of parser, embedder, storage and identity provider.
    pub fn standins(&self) -> CheckResult<&StandinClient> {
        self.granted(Capability::Standins, self.standins.as_ref())
    }

    /// The stand-ins where the target has them, for a check that also runs without.
    pub fn standins_if_granted(&self) -> Option<&StandinClient> {
        self.standins.as_ref()
    }

    /// The user's own PDF files. Without `[documents] corpus` in the target file, the check does not apply.
    pub fn corpus(&self) -> CheckResult<&[PathBuf]> {
        match self.clients.inputs().corpus.as_slice() {
            [] => Err(Stop::not_applicable(NO_CORPUS)),
            files => Ok(files),
        }
    }

    /// Says that a load begins. The first one of those that run at the same time samples what the system uses and does.
    pub(crate) fn load_begins(&self) -> (LoadNumber, Option<Sampler>) {
        let (number, is_first) = self.loads.begin();
        let sampler = is_first.then(|| Sampler::start(self.clients.sources()));
        (number, sampler)
    }

    /// Says that a load has ended; whether no other one ran at the same time.
    pub(crate) fn load_ended(&self, number: LoadNumber) -> bool {
        self.loads.end(number)
    }

    /// A value that the command of this run gives its checks; nothing if the usual one applies.
    pub fn parameter<T: DeserializeOwned>(&self, name: &str) -> CheckResult<Option<T>> {
        let value = self.clients.inputs().parameters.get(name).cloned();
        Ok(value.map(serde_json::from_value).transpose()?)
    }

    /// Applies a control action to the API or the workers and waits until it is done. An attached
    /// target is restored after the check.
    pub async fn control(&self, action: ControlAction) -> CheckResult {
        self.require(action.capability())?;
        self.observe("control", action.to_string(), Value::Null);
        Ok(self.clients.apply(action, &self.recorder).await?)
    }

    /// Restores an attached target after the control actions of the check.
    pub(crate) async fn restore(&self) -> anyhow::Result<()> {
        self.clients.restore(&self.recorder).await
    }

    /// The traffic of a link since the run began; nothing where the target has no such link.
    pub fn traffic(&self, link: LinkName) -> CheckResult<Option<Traffic>> {
        let links = self.granted(Capability::Links, self.clients.links())?;
        let mut traffic = links.traffic();
        let traffic = traffic.find(|(name, _)| *name == link);
        Ok(traffic.map(|(_, traffic)| traffic))
    }

    /// The proxy of a link of the check's own stack or of an attached target, into which faults are
    /// injected. They are healed when their guard is dropped, at the latest when the check ends.
    pub fn link(&self, name: LinkName) -> CheckResult<&Proxy> {
        let links = self.granted(Capability::Links, self.clients.links())?;
        links.proxy(name).ok_or_else(|| {
            let reason = format!("the target has no link '{name}'; {}", missing_link(name));
            Stop::precondition_missing(reason)
        })
    }

    /// The link that [`Context::link`] gives for a name: itself, or the one of every part of the system.
    pub fn resolve_link(&self, name: LinkName) -> CheckResult<LinkName> {
        let links = self.granted(Capability::Links, self.clients.links())?;
        Ok(links.resolve(name).unwrap_or(name))
    }

    /// The trial so far, as it is on disk; nothing where nothing is recorded.
    pub fn recorded(&self) -> CheckResult<Option<Trial>> {
        let path = self.recorder.path();
        let trial = path.map(|path| Trial::read(&path)).transpose();
        Ok(trial.map_err(anyhow::Error::msg)?)
    }

    /// The static secret of callbacks. Without `callback.token` in the target file, the check is skipped.
    pub fn callback_token(&self) -> CheckResult<&Secret> {
        let token = self.clients.connection().callback_token.as_ref();
        token.ok_or_else(|| {
            Stop::precondition_missing(
                "the target file has no callback.token, the static secret of callbacks",
            )
        })
    }

    /// The processes of the check's own stack.
    pub fn processes(&self) -> CheckResult<&Stack> {
        self.require(Capability::Processes)?;
        let check = self.check.name;
        let own = self.clients.own_stack();
        own.ok_or_else(|| Stop::from(AccessError::SharedStack { check }))
    }

    /// The logs of the API and the workers.
    pub fn logs(&self) -> CheckResult<Logs> {
        self.require(Capability::Logs)?;
        let logs = self.clients.connection().logs.iter().cloned();
        Ok(Logs::new(logs, self.recorder.clone()))
    }

    /// The secrets of the stack with their names, for checks that search for leaked secrets.
    pub fn secrets(&self) -> CheckResult<impl Iterator<Item = (&str, &Secret)>> {
        self.require(Capability::Logs)?;
        let secrets = self.clients.secrets().iter();
        Ok(secrets.map(|(name, secret)| (name.as_str(), secret)))
    }

    /// Polls until `poll` is ready. A timeout is a finding.
    pub async fn eventually<S: IntoPoll>(
        &self,
        what: &str,
        within: Duration,
        poll: impl AsyncFnMut() -> CheckResult<S>,
    ) -> CheckResult<S::Ready> {
        eventually(&self.recorder, what, within, poll).await
    }

    /// Reports that the system is wrong, and goes on: the check fails when it ends. For what is not
    /// the essential statement of the check and must not hide it.
    pub fn report(&self, finding: Finding) {
        self.reported
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(finding);
    }

    /// Reports the finding of a part of the check, and goes on. Other stops end the check.
    pub fn report_if_wrong(&self, part: CheckResult) -> CheckResult {
        match part {
            Err(Stop::Violated(finding)) => {
                self.report(*finding);
                Ok(())
            }
            part => part,
        }
    }

    /// The findings that were reported so far.
    pub(crate) fn take_reported(&self) -> Vec<Finding> {
        std::mem::take(&mut self.reported.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records an observation.
    pub fn observe(&self, surface: &str, summary: impl Into<String>, value: Value) {
        let observation = Observation {
            surface: surface.to_owned(),
            summary: summary.into(),
            value,
        };
        self.recorder.record(Evidence::Observed(observation));
    }

    /// Records what the stand-ins refused since the check began without a script that says so.
    /// Other checks may have caused some of it.
    pub(crate) async fn observe_refusals(&self, since: OffsetDateTime) {
        let Some(standins) = &self.standins else {
            return;
        };
        // A list that cannot be read explains nothing, and must not change the result.
        let refusals = standins.refusals(since).await.unwrap_or_default();
        if refusals.is_empty() {
            return;
        }
        let summary = format!(
            "while this check ran, the stand-ins refused {} requests as the real services do",
            refusals.len()
        );
        let newest = &refusals[refusals.len().saturating_sub(MAX_REFUSALS)..];
        let value = serde_json::to_value(newest).unwrap_or(Value::Null);
        self.observe("stand-ins", summary, value);
    }

    /// Random bytes, reproducible from the seed of the run.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut bytes);
        bytes
    }

    /// The client of a capability that the check requires and the target grants.
    fn granted<T>(&self, capability: Capability, client: Option<T>) -> CheckResult<T> {
        self.require(capability)?;
        let check = self.check.name;
        client.ok_or_else(|| Stop::from(AccessError::NotGranted { check, capability }))
    }

    /// Refuses a capability that the check does not require: a plan lists the capabilities of
    /// each check, and that list must be complete.
    fn require(&self, capability: Capability) -> CheckResult {
        if self.check.needs.contains(&capability) {
            return Ok(());
        }
        let check = self.check.name;
        Err(AccessError::Undeclared { check, capability }.into())
    }
}
