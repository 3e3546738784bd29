//! A disposable PostgreSQL server, configured to start fast and without durability.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use rustix::process::Signal;

use crate::credentials::{
    APP_DATABASE_PASSWORD, APP_DATABASE_URL, Credentials, DATABASE_PASSWORD, DATABASE_URL,
    INTERNAL_DATABASE_URL,
};
use crate::launch::LaunchSpec;
use crate::postgres::{Installation, Template, for_postgres};
use crate::readiness::Readiness;
use crate::services::{Child, Service, ServiceError, ServiceRuntime, ServiceSpec, UserAccount};
use crate::stack_dir::{StackDir, StackDirError};
use crate::stack_error::StackError;
use crate::state::KillSignal;
use cutover_evidence::secret::Secret;

/// Settings that skip durability, limit resources, and share nothing outside of the data directory.
pub(super) const EPHEMERAL_SETTINGS: [&str; 15] = [
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
    // Shared memory in the data directory is removed with it, even if the server crashes.
    "dynamic_shared_memory_type=mmap",
    "log_line_prefix=%m [%p] %q%u@%d %a ",
    "cluster_name=cutover",
];

/// Settings that restrict a server process to loopback connections.
const LOOPBACK_SETTINGS: [&str; 2] = ["listen_addresses=127.0.0.1", "unix_socket_directories="];

/// The server of one stack, which runs on its own cluster.
#[derive(Debug)]
pub(super) struct PostgresServer {
    pub(super) service: Service,
    port: u16,
    password: Secret,
}

impl PostgresServer {
    /// Copies the template cluster into the stack's directory and starts the server on it.
    ///
    /// The template may be damaged. If the server exits for another reason than a
    /// port conflict, the template is created again, once.
    pub(super) async fn start(stack_dir: &Arc<StackDir>, port: u16) -> Result<Self, StackError> {
        match Self::start_on_copy(stack_dir, port, false).await {
            Err(StackError::Service(ServiceError::Died { ref tail, .. }))
                if !crate::ports::address_in_use(tail) =>
            {
                Self::start_on_copy(stack_dir, port, true).await
            }
            other => other,
        }
    }

    async fn start_on_copy(
        stack_dir: &Arc<StackDir>,
        port: u16,
        recreate: bool,
    ) -> Result<Self, StackError> {
        let stack_dir = Arc::clone(stack_dir);
        let prepared =
            tokio::task::spawn_blocking(move || Self::prepare(stack_dir, port, recreate));
        let server = prepared.await??;
        server.service.start().await?;
        Ok(server)
    }

    fn prepare(stack_dir: Arc<StackDir>, port: u16, recreate: bool) -> Result<Self, StackError> {
        let installation = Installation::find()?;
        let account = for_postgres()?;
        let template = Template::new(&installation, account)?;
        let data = stack_dir.directory().join("postgres");
        if recreate {
            template.discard()?;
            std::fs::remove_dir_all(&data).map_err(|source| StackDirError::Remove {
                path: data.clone(),
                source,
            })?;
        }
        let password = template.copy_to(&data)?;
        let service_spec = service_spec(&installation, account, &stack_dir, port);
        Ok(Self {
            service: Service::new(service_spec, stack_dir)?,
            port,
            password,
        })
    }

    /// The URLs and passwords of the superuser and of the role of the services.
    pub(super) fn credentials(&self, app_role: &str) -> Credentials {
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

fn service_spec(
    installation: &Installation,
    account: Option<UserAccount>,
    stack_dir: &StackDir,
    port: u16,
) -> ServiceSpec {
    let data = stack_dir.directory().join("postgres");
    let settings = EPHEMERAL_SETTINGS
        .iter()
        .chain(&LOOPBACK_SETTINGS)
        .map(|setting| (*setting).to_owned())
        .chain([format!("port={port}")]);
    let mut args = vec![OsString::from("-D"), data.clone().into_os_string()];
    args.extend(settings.flat_map(|setting| ["-c".into(), setting.into()]));
    ServiceSpec {
        launch: LaunchSpec {
            name: "postgres".to_owned(),
            args,
            environment: BTreeMap::new(),
            stop_signal: Signal::INT,
        },
        readiness: Readiness::Postmaster(data.join("postmaster.pid")),
        runtime: ServiceRuntime::Child(Child {
            account,
            kill_signal: KillSignal::Quit,
            ..Child::new(&installation.program("postgres"))
        }),
    }
}
