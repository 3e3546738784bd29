//! The clients of one system under test, shared by the trials that run on it.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;

use crate::capability::Capability;
use crate::cleanup::CreatedDocument;
use crate::connection::Connection;
use crate::control_action::ControlAction;
use crate::identification::{IdentificationError, Reported};
use crate::inputs::CheckInputs;
use crate::resources::{Containers, Metrics, NotSampled, Sources, Watched};
use crate::safety::Safeguards;
use cutover_contract::accounts::Accounts;
use cutover_contract::contract::{Contract, Endpoint, Pipeline, Witnesses};
use cutover_contract::identity::Tenant;
use cutover_contract::probe::{
    self, ActivityProbe, Database, DatabaseError, Http, HttpError, Poll, eventually,
};
use cutover_contract::standin::StandinClient;
use cutover_evidence::journal::Recorder;
use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;
use cutover_fault::Links;
use cutover_stack::{ProcessInfo, Stack, StackInfo, StackKind};

/// How long an API may take to become healthy after a start.
const API_START_TIMEOUT: Duration = Duration::from_mins(1);

/// What the database of a target says while a load runs.
const DATABASE: &str = "sessions, waits, locks and jobs";

/// Access that a check is denied.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The check uses a capability that its table line does not require.
    #[error("check '{check}' uses {capability}; add it to `requires` in its line of the table")]
    Undeclared {
        /// The check.
        check: &'static str,
        /// The capability.
        capability: Capability,
    },
    /// The target does not grant a capability that the check requires.
    #[error("check '{check}' requires {capability}, which this target does not grant")]
    NotGranted {
        /// The check.
        check: &'static str,
        /// The capability.
        capability: Capability,
    },
    /// The check controls processes that other checks use.
    #[error(
        "check '{check}' controls processes of a shared stack; add `alone_with_workers` to its line of the table"
    )]
    SharedStack {
        /// The check.
        check: &'static str,
    },
}

/// The clients of one system under test.
pub struct SutClients {
    connection: Connection,
    /// The secrets of the system, by name.
    secrets: Vec<(String, Secret)>,
    stack: Option<Arc<Stack>>,
    contract: Arc<Contract>,
    http: reqwest::Client,
    pool: Option<PgPool>,
    accounts: Accounts,
    standins: Option<StandinClient>,
    safeguards: Option<Safeguards>,
    links: Option<Arc<Links>>,
    /// What proves a deletion.
    witnesses: Witnesses,
    inputs: CheckInputs,
    /// A local stack, as of its start.
    info: Option<StackInfo>,
}

/// What the clients of a system are made from.
pub struct SutConfig<'a> {
    /// Where the system is, and how to authenticate there.
    pub connection: Connection,
    /// The stack, where one trial at a time owns it and may control its processes.
    pub stack: Option<Arc<Stack>>,
    /// The safeguards of an attached target.
    pub safeguards: Option<&'a Safeguards>,
    /// The links that its connections pass through, if there are any.
    pub links: Option<Arc<Links>>,
    /// The contract of the system.
    pub contract: &'a Arc<Contract>,
    /// Masks the secrets.
    pub redactor: &'a Arc<Redactor>,
}

impl SutClients {
    /// Opens the clients of a system. It connects only where accounts must log in.
    pub async fn open(config: SutConfig<'_>) -> anyhow::Result<Self> {
        let SutConfig {
            connection,
            stack,
            safeguards,
            links,
            contract,
            redactor,
        } = config;
        let http = probe::client()?;
        Ok(Self {
            accounts: Accounts::open(
                &connection.tokens,
                &http,
                redactor,
                contract.limits.daily_uploads,
            )
            .await?,
            pool: connection.database.as_ref().map(probe::pool).transpose()?,
            standins: connection
                .standins
                .as_ref()
                .map(StandinClient::new)
                .transpose()?,
            contract: Arc::clone(contract),
            secrets: redactor.named_secrets(),
            connection,
            stack,
            http,
            safeguards: safeguards.cloned(),
            links,
            witnesses: Witnesses::default(),
            inputs: CheckInputs::default(),
            info: None,
        })
    }

    /// The same clients, for checks with these inputs.
    #[must_use]
    pub fn with_inputs(self, inputs: &CheckInputs) -> Self {
        let inputs = inputs.clone();
        Self { inputs, ..self }
    }

    /// The same clients, of a local stack.
    #[must_use]
    pub fn with_info(self, info: &StackInfo) -> Self {
        let info = Some(info.clone());
        Self { info, ..self }
    }

    /// What can be sampled while a load runs, and what not.
    pub(crate) fn sources(&self) -> Sources {
        let mut sources = self.watched();
        let mut lacks =
            |what: &str, reason: &str| sources.not_sampled.push(NotSampled::new(what, reason));
        match self.connection.database.as_ref() {
            None => lacks(DATABASE, "the target file has no [database]"),
            Some(url) => match self.activity(url) {
                Ok(probe) => sources.database = Some(probe),
                Err(error) => lacks(DATABASE, &error.to_string()),
            },
        }
        match self.anonymous_pipeline().request(Endpoint::Metrics, "") {
            Ok(request) => {
                sources.metrics = Some(Metrics {
                    client: self.http.clone(),
                    url: request.url().clone(),
                    gate: self.safeguards.as_ref().map(Safeguards::gate),
                });
            }
            Err(_) => lacks("metrics", "the contract declares routes.metrics absent"),
        }
        sources
    }

    fn activity(&self, url: &Secret) -> Result<ActivityProbe, DatabaseError> {
        let jobs = self.contract.unfinished_jobs();
        ActivityProbe::new(url, &self.contract.database, jobs.as_deref())
    }

    /// The processes and containers that can be sampled while a load runs.
    fn watched(&self) -> Sources {
        let mut sources = Sources {
            processes: self.local_processes(),
            ..Sources::default()
        };
        match &self.info {
            Some(info) if info.kind == StackKind::Containers => {
                sources.containers = Some(Containers::OfStack(info.id.clone()));
            }
            Some(_) => {}
            None => sources.watch_named(&self.connection.resources),
        }
        sources
    }

    /// The processes of a local stack that run now, whether or not a check may control them; none of an attached system.
    pub(crate) fn local_processes(&self) -> Vec<Watched> {
        let Some(info) = &self.info else {
            return Vec::new();
        };
        let started = |process: &ProcessInfo| Watched {
            name: process.name.clone(),
            identity: process.identity,
        };
        // The stand-ins are a process beside containers, too. A process of a container may have another number
        // outside of it.
        if info.kind == StackKind::Containers {
            return vec![started(&info.standin_process)];
        }
        let mut processes = vec![started(&info.postgres), started(&info.standin_process)];
        match &self.stack {
            None => processes.extend([&info.api].into_iter().chain(&info.workers).map(started)),
            // A check may have restarted them.
            Some(stack) => {
                let workers = stack.workers();
                let services = workers.iter().map(|worker| &***worker).chain([stack.api()]);
                processes.extend(services.filter_map(|service| {
                    let name = service.name().to_owned();
                    service
                        .identity()
                        .map(|identity| Watched { name, identity })
                }));
            }
        }
        processes
    }

    /// What the run gives its checks.
    pub fn inputs(&self) -> &CheckInputs {
        &self.inputs
    }

    /// The pipeline as this tenant, with its requests recorded.
    pub fn pipeline(&self, tenant: Tenant, recorder: Recorder) -> Pipeline {
        let database = self
            .pool
            .clone()
            .map(|pool| Database::new(pool, &self.contract.database, recorder.clone()));
        let http = self.probe("api", recorder);
        let contract = Arc::clone(&self.contract);
        let quota = self.accounts.quota().cloned();
        Pipeline::new(http, contract, self.connection.api.clone(), tenant)
            .with_quota(quota)
            .with_database(database)
            .with_witnesses(&self.witnesses)
    }

    /// The pipeline without a token and without recording.
    pub fn anonymous_pipeline(&self) -> Pipeline {
        let tenant = Tenant {
            user_id: uuid::Uuid::nil(),
            token: Secret::new(""),
            email: String::new(),
        };
        self.pipeline(tenant, Recorder::silent()).anonymous()
    }

    /// What the system says about itself.
    ///
    /// # Errors
    /// If the source of `[identification]` cannot be read.
    pub async fn reported(&self) -> Result<Reported, IdentificationError> {
        let pipeline = self.anonymous_pipeline();
        self.connection.identification.read(&pipeline).await
    }

    /// The identity of the system, which must not change during a run.
    pub async fn identity(&self) -> Option<serde_json::Value> {
        Some(self.reported().await.ok()?.identity)
    }

    /// Verifies that the API accepts the tokens of two tenants. Without them no check means anything.
    pub async fn verify_tenants(&self) -> anyhow::Result<()> {
        let ids = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
        let tenants = ids
            .iter()
            .map(|id| self.accounts.acquire(*id))
            .collect::<Result<Vec<_>, _>>()?;
        for tenant in &tenants {
            let pipeline = self.pipeline(tenant.clone(), Recorder::silent());
            let protected = [
                Endpoint::Document,
                Endpoint::Job,
                Endpoint::Jobs,
                Endpoint::Limits,
                Endpoint::Retry,
            ];
            let mut present = protected
                .into_iter()
                .filter(|endpoint| self.contract.has(*endpoint));
            // Without any of these routes, the first upload shows whether the token is accepted.
            let Some(endpoint) = present.next() else {
                break;
            };
            let status = status_of(&pipeline, endpoint).await?;
            anyhow::ensure!(
                !matches!(status, 401 | 403),
                "the target answers tenant {} with status {status}; correct [identity] of the target file",
                tenant.user_id
            );
        }
        self.accounts.release(tenants);
        Ok(())
    }

    /// Deletes a document as its owner. Returns whether it is gone.
    pub async fn delete_document(&self, document: CreatedDocument) -> bool {
        let Some(tenant) = self.accounts.tenant(document.user_id) else {
            return false;
        };
        let pipeline = self.pipeline(tenant, Recorder::silent());
        pipeline.delete_and_verify(document.document_id).await
    }

    /// Where the system is, and how to authenticate there.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The secrets of the system, by name.
    pub fn secrets(&self) -> &[(String, Secret)] {
        &self.secrets
    }

    /// The stack that the trial owns, if it owns one.
    pub fn own_stack(&self) -> Option<&Stack> {
        self.stack.as_deref()
    }

    /// The contract of the system.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// An HTTP client for one of its surfaces.
    pub fn probe(&self, surface: &str, recorder: Recorder) -> Http {
        Http::new(self.http.clone(), surface, recorder)
            .gated(self.safeguards.as_ref().map(Safeguards::gate))
    }

    /// The connection pool of the database.
    pub fn pool(&self) -> Option<PgPool> {
        self.pool.clone()
    }

    /// The accounts of test tenants.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The client of the stand-ins.
    pub fn standins(&self) -> Option<&StandinClient> {
        self.standins.as_ref()
    }

    /// The safeguards of an attached target.
    pub fn safeguards(&self) -> Option<&Safeguards> {
        self.safeguards.as_ref()
    }

    /// The links that its connections pass through: those of the stack that the trial owns, or of an
    /// attached target.
    pub fn links(&self) -> Option<&Links> {
        let own = self.stack.as_deref().map(Stack::links);
        own.or(self.links.as_deref())
    }

    /// Applies a control action and waits until it is done.
    pub async fn apply(&self, action: ControlAction, recorder: &Recorder) -> anyhow::Result<()> {
        match (&self.stack, &self.safeguards) {
            (Some(stack), _) => action.apply_to(stack).await?,
            (None, Some(safeguards)) => {
                safeguards.commands.apply(action, recorder).await?;
                if action == ControlAction::StartApi {
                    self.wait_until_healthy(API_START_TIMEOUT).await?;
                }
            }
            (None, None) => anyhow::bail!("{action}: other checks use this stack"),
        }
        Ok(())
    }

    /// Restores an attached target after control actions, and waits until it is healthy.
    pub async fn restore(&self, recorder: &Recorder) -> anyhow::Result<()> {
        let Some(safeguards) = &self.safeguards else {
            return Ok(());
        };
        if safeguards.commands.restore(recorder).await? {
            self.wait_until_healthy(API_START_TIMEOUT).await?;
        }
        Ok(())
    }

    /// Waits until the health route answers with success.
    pub async fn wait_until_healthy(&self, within: Duration) -> anyhow::Result<()> {
        let pipeline = self.anonymous_pipeline();
        let probes = [
            Endpoint::Health,
            Endpoint::Ready,
            Endpoint::Version,
            Endpoint::Metrics,
        ];
        let mut present = probes
            .into_iter()
            .filter(|endpoint| self.contract.has(*endpoint));
        let Some(probe) = present.next() else {
            return Ok(());
        };
        let health = async || {
            let reply = match pipeline.request(probe, "") {
                Ok(request) => pipeline.ask(probe, request).await,
                Err(stop) => Err(stop),
            };
            Ok(match reply {
                Ok(reply) if reply.is_success() => Poll::Ready(()),
                Ok(reply) => Poll::Pending(reply.summary()),
                Err(stop) => Poll::Pending(stop.summary()),
            })
        };
        let healthy = eventually(&Recorder::silent(), "the API is healthy", within, health).await;
        healthy.map_err(|stop| anyhow::anyhow!(stop.summary()))
    }
}

/// The status of the answer about an id that does not exist, whether or not the route is optional.
async fn status_of(pipeline: &Pipeline, endpoint: Endpoint) -> anyhow::Result<u16> {
    let request = pipeline.request(endpoint, uuid::Uuid::new_v4());
    let request = request.map_err(|stop| anyhow::anyhow!(stop.summary()))?;
    let reply = pipeline.http().send(request).await;
    let reply = reply.map_err(HttpError::into_stop);
    Ok(reply
        .map_err(|stop| anyhow::anyhow!(stop.summary()))?
        .status)
}
