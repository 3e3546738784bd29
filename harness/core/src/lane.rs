//! A lane: one system under test with the clients that reach it, shared by the trials that run on it.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;

use crate::capability::Capability;
use crate::cleanup::CreatedDocument;
use crate::connection::Connection;
use crate::control::tell_stack;
use crate::control_action::ControlAction;
use crate::safety::Safeguards;
use cutover_contract::accounts::Accounts;
use cutover_contract::contract::{Contract, Pipeline};
use cutover_contract::identity::Tenant;
use cutover_contract::probe::{self, Http, Poll, eventually};
use cutover_contract::standin::StandinClient;
use cutover_evidence::journal::Recorder;
use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;
use cutover_fault::Links;
use cutover_stack::Stack;

/// How long an API may take to answer after it was started.
const API_STARTS_WITHIN: Duration = Duration::from_mins(1);

/// A door that does not open.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// The check uses what its table line does not say.
    #[error(
        "check '{check}' uses {capability} without requiring it; add it to its line of the table"
    )]
    Undeclared {
        /// The check.
        check: &'static str,
        /// What it uses.
        capability: Capability,
    },
    /// The target does not give what the check was admitted for.
    #[error("check '{check}' needs {capability}, which this target does not give")]
    Closed {
        /// The check.
        check: &'static str,
        /// What it needs.
        capability: Capability,
    },
    /// The check would stop processes that others use.
    #[error(
        "check '{check}' controls processes of a shared stack; give its line `alone_with_workers`"
    )]
    Shared {
        /// The check.
        check: &'static str,
    },
}

/// One system under test with the clients that reach it.
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
}

/// What a lane is opened with.
pub struct SutConfig<'a> {
    /// Where the system is.
    pub connection: Connection,
    /// The stack, where one trial at a time owns it and may control its processes.
    pub stack: Option<Arc<Stack>>,
    /// What keeps us from harming it, where it is not ours.
    pub safeguards: Option<&'a Safeguards>,
    /// What its connections pass through, where they do.
    pub links: Option<Arc<Links>>,
    /// The contract that the system is held to.
    pub contract: &'a Arc<Contract>,
    /// Knows the secrets.
    pub redactor: &'a Arc<Redactor>,
}

impl SutClients {
    /// Opens the clients of a system. Connects to nothing yet, unless accounts must log in.
    pub async fn open(opening: SutConfig<'_>) -> anyhow::Result<Self> {
        let SutConfig {
            connection,
            stack,
            safeguards,
            links,
            contract,
            redactor,
        } = opening;
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
        })
    }

    /// The pipeline as this tenant sees it, recording here.
    pub fn pipeline(&self, tenant: Tenant, recorder: Recorder) -> Pipeline {
        let http = self.probe("api", recorder);
        let contract = Arc::clone(&self.contract);
        let quota = self.accounts.quota().cloned();
        Pipeline::new(http, contract, self.connection.api.clone(), tenant).with_quota(quota)
    }

    /// The pipeline as nobody sees it, recording nowhere.
    pub fn nobody(&self) -> Pipeline {
        let nobody = Tenant {
            user_id: uuid::Uuid::nil(),
            token: Secret::new(""),
            email: String::new(),
        };
        self.pipeline(nobody, Recorder::silent()).anonymous()
    }

    /// What the system under test says it is: the answer of its version route.
    pub async fn identity(&self) -> Option<serde_json::Value> {
        let version = self.nobody().version().await.ok()?;
        version.expect_status(200).ok()?.json().ok()
    }

    /// Two different tenants are let in: without them nothing that follows would say anything.
    pub async fn two_tenants_are_let_in(&self) -> anyhow::Result<()> {
        let ids = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
        let tenants = ids
            .iter()
            .map(|id| self.accounts.acquire(*id))
            .collect::<Result<Vec<_>, _>>()?;
        for tenant in &tenants {
            let pipeline = self.pipeline(tenant.clone(), Recorder::silent());
            let reply = pipeline.document(uuid::Uuid::new_v4()).await;
            let status = reply
                .map_err(|stop| anyhow::anyhow!(stop.summary()))?
                .status;
            anyhow::ensure!(
                !matches!(status, 401 | 403),
                "the target lets tenant {} not in: it answers {status}; mend [identity] of the target",
                tenant.user_id
            );
        }
        self.accounts.release(tenants);
        Ok(())
    }

    /// Deletes a document of a run, in its tenant's name; says whether it is gone.
    pub async fn removes(&self, trace: CreatedDocument) -> bool {
        let Some(tenant) = self.accounts.tenant(trace.user_id) else {
            return false;
        };
        let pipeline = self.pipeline(tenant, Recorder::silent());
        pipeline.delete_and_verify(trace.document_id).await
    }

    /// How the system is reached.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The secrets of the system, by name.
    pub fn secrets(&self) -> &[(String, Secret)] {
        &self.secrets
    }

    /// The stack that the trial owns, where it owns one.
    pub fn own_stack(&self) -> Option<&Stack> {
        self.stack.as_deref()
    }

    /// The contract that the system is held to.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// A probe of one of its surfaces.
    pub fn probe(&self, surface: &str, recorder: Recorder) -> Http {
        Http::new(self.http.clone(), surface, recorder)
            .gated(self.safeguards.as_ref().map(Safeguards::gate))
    }

    /// The connections to the database.
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

    /// What keeps us from harming the system, where it is not ours.
    pub fn safeguards(&self) -> Option<&Safeguards> {
        self.safeguards.as_ref()
    }

    /// What its connections pass through.
    pub fn links(&self) -> Option<&Links> {
        self.links.as_deref()
    }

    /// Gives an instruction to the system's parts and waits until it is carried out.
    pub async fn tell(&self, told: ControlAction, recorder: &Recorder) -> anyhow::Result<()> {
        match (&self.stack, &self.safeguards) {
            (Some(stack), _) => tell_stack(stack, told).await?,
            (None, Some(guard)) => {
                guard.commands.tell(told, recorder).await?;
                if told == ControlAction::StartApi {
                    self.answers(API_STARTS_WITHIN).await?;
                }
            }
            (None, None) => anyhow::bail!("{told}: it is a stack that others use"),
        }
        Ok(())
    }

    /// Puts a system that is not ours back as it was, and waits until it is ready again.
    pub async fn put_back(&self, recorder: &Recorder) -> anyhow::Result<()> {
        let Some(guard) = &self.safeguards else {
            return Ok(());
        };
        if guard.commands.put_back(recorder).await? {
            self.answers(API_STARTS_WITHIN).await?;
        }
        Ok(())
    }

    /// Waits until the system says that it lives.
    pub async fn answers(&self, within: Duration) -> anyhow::Result<()> {
        let nobody = self.nobody();
        let lives = async || {
            let reply = nobody.health().await;
            Ok(match reply {
                Ok(reply) if reply.is_success() => Poll::Ready(()),
                Ok(reply) => Poll::Pending(reply.summary()),
                Err(stop) => Poll::Pending(stop.summary()),
            })
        };
        let answered = eventually(&Recorder::silent(), "the API answers", within, lives).await;
        answered.map_err(|stop| anyhow::anyhow!(stop.summary()))
    }
}
