//! A throw-away PostgreSQL server: quick to start, and nothing to lose.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use rustix::process::Signal;

use super::account::for_postgres;
use super::find::Installation;
use super::template::Template;
use crate::credentials::{
    APP_DATABASE_PASSWORD, APP_DATABASE_URL, Credentials, DATABASE_PASSWORD, DATABASE_URL,
    INTERNAL_DATABASE_URL,
};
use crate::ledger::Ending;
use crate::process::{Account, Body, Child, Process, ProcessError, Recipe};
use crate::readiness::Readiness;
use crate::site::{StackDir, StackDirError};
use crate::start::StackError;
use cutover_evidence::secret::Secret;

/// What a server that is thrown away needs not do, and must not share.
pub(crate) const THROW_AWAY: [&str; 15] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=256MB",
    "shared_buffers=32MB",
    "max_connections=100",
    "max_worker_processes=2",
    "max_parallel_workers_per_gather=0",
    "jit=off",
    "autovacuum_naptime=10s",
    // Shared memory in the data directory is gone with it, whatever becomes of the server.
    "dynamic_shared_memory_type=mmap",
    "log_line_prefix=%m [%p] %q%u@%d %a ",
    "cluster_name=cutover",
];

/// A server on this machine is for this machine alone.
const LOCAL: [&str; 2] = ["listen_addresses=127.0.0.1", "unix_socket_directories="];

/// The cluster of one stack, and the server that runs on it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Process,
    port: u16,
    password: Secret,
}

impl Server {
    /// Copies a cluster into the stack's directory and starts the server on it.
    ///
    /// A template may have been damaged between runs: when the server dies on
    /// the copy for any other reason than its port, a new one is made, once.
    pub(crate) async fn start(site: &Arc<StackDir>, port: u16) -> Result<Self, StackError> {
        match Self::start_on_copy(site, port, false).await {
            Err(StackError::Process(ProcessError::Died { ref tail, .. }))
                if !crate::ports::address_in_use(tail) =>
            {
                Self::start_on_copy(site, port, true).await
            }
            other => other,
        }
    }

    async fn start_on_copy(
        site: &Arc<StackDir>,
        port: u16,
        anew: bool,
    ) -> Result<Self, StackError> {
        let site = Arc::clone(site);
        let prepared = tokio::task::spawn_blocking(move || Self::prepare(site, port, anew));
        let server = prepared.await??;
        server.process.start().await?;
        Ok(server)
    }

    fn prepare(site: Arc<StackDir>, port: u16, anew: bool) -> Result<Self, StackError> {
        let installation = Installation::find()?;
        let account = for_postgres()?;
        let template = Template::new(&installation, account)?;
        let data = site.directory().join("postgres");
        if anew {
            template.discard()?;
            std::fs::remove_dir_all(&data).map_err(|source| StackDirError::Remove {
                path: data.clone(),
                source,
            })?;
        }
        let password = template.copy_to(&data)?;
        let recipe = recipe(&installation, account, &site, port);
        Ok(Self {
            process: Process::new(recipe, site)?,
            port,
            password,
        })
    }

    /// How to reach the database, as the superuser and as the role of the services.
    pub(crate) fn credentials(&self, app_role: &str) -> Credentials {
        let app_password = Secret::random();
        let url = self.url("postgres", &self.password);
        Credentials::from([
            (INTERNAL_DATABASE_URL, url.clone()),
            (DATABASE_URL, url),
            (DATABASE_PASSWORD, self.password.clone()),
            (APP_DATABASE_URL, self.url(app_role, &app_password)),
            (APP_DATABASE_PASSWORD, app_password),
        ])
    }

    fn url(&self, role: &str, password: &Secret) -> Secret {
        let (password, port) = (password.expose(), self.port);
        Secret::new(format!(
            "postgres://{role}:{password}@127.0.0.1:{port}/postgres"
        ))
    }
}

fn recipe(
    installation: &Installation,
    account: Option<Account>,
    site: &StackDir,
    port: u16,
) -> Recipe {
    let data = site.directory().join("postgres");
    let settings = THROW_AWAY
        .iter()
        .chain(&LOCAL)
        .map(|setting| (*setting).to_owned())
        .chain([format!("port={port}")]);
    let mut args = vec![OsString::from("-D"), data.clone().into_os_string()];
    args.extend(settings.flat_map(|setting| ["-c".into(), setting.into()]));
    Recipe {
        name: "postgres".to_owned(),
        args,
        environment: BTreeMap::new(),
        readiness: Readiness::Postmaster(data.join("postmaster.pid")),
        graceful: Signal::INT,
        body: Body::Child(Child {
            account,
            ending: Ending::Quit,
            ..Child::of(&installation.program("postgres"))
        }),
    }
}
