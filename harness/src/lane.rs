//! A lane: one live stack with the clients that reach it, shared by the trials that run on it.

use std::sync::Arc;

use sqlx::PgPool;

use crate::capability::Capability;
use crate::contract::{Contract, Pipeline};
use crate::identity::Minter;
use crate::journal::Recorder;
use crate::probe::{self, Http};
use crate::redact::Redactor;
use crate::stack::{Stack, StackCard};
use crate::standin::StandinClient;

/// A door that does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaneError {
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
    /// The check would stop processes that others use.
    #[error(
        "check '{check}' controls processes of a shared stack; give its line `alone_with_workers`"
    )]
    Shared {
        /// The check.
        check: &'static str,
    },
}

/// One live stack with the clients that reach it.
pub(crate) struct Lane {
    card: StackCard,
    stack: Option<Arc<Stack>>,
    contract: Arc<Contract>,
    http: reqwest::Client,
    pool: PgPool,
    minter: Minter,
    standins: StandinClient,
}

impl Lane {
    /// Opens the clients of a stack; connects to nothing yet. `stack` is given
    /// where one trial at a time owns it and may control its processes.
    pub(crate) fn open(
        card: &StackCard,
        stack: Option<Arc<Stack>>,
        contract: &Arc<Contract>,
        redactor: &Arc<Redactor>,
    ) -> anyhow::Result<Self> {
        for secret in card.secrets() {
            redactor.learn(secret);
        }
        Ok(Self {
            card: card.clone(),
            stack,
            contract: Arc::clone(contract),
            http: probe::client()?,
            pool: probe::pool(&card.database.url)?,
            minter: Minter::new(
                card.supabase.jwt_secret.clone(),
                &card.supabase.issuer,
                &card.supabase.audience,
                Arc::clone(redactor),
            ),
            standins: StandinClient::new(&card.standins)?,
        })
    }

    pub(crate) fn card(&self) -> &StackCard {
        &self.card
    }

    /// What the system under test says it is: the answer of its version route.
    pub(crate) async fn identity(&self) -> Option<serde_json::Value> {
        let http = Http::new(self.http.clone(), "api", Recorder::silent());
        let tenant = self.minter.tenant(uuid::Uuid::nil()).ok()?;
        let pipeline = Pipeline::new(
            http,
            self.shared_contract(),
            self.card.api_url.clone(),
            tenant,
        );
        pipeline
            .version()
            .await
            .ok()?
            .expect_status(200)
            .ok()?
            .json()
            .ok()
    }

    pub(crate) fn own_stack(&self) -> Option<&Stack> {
        self.stack.as_deref()
    }

    pub(crate) fn contract(&self) -> &Contract {
        &self.contract
    }

    pub(crate) fn shared_contract(&self) -> Arc<Contract> {
        Arc::clone(&self.contract)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn pool(&self) -> PgPool {
        self.pool.clone()
    }

    pub(crate) fn minter(&self) -> &Minter {
        &self.minter
    }

    pub(crate) fn standins(&self) -> &StandinClient {
        &self.standins
    }
}
