//! Services as child processes that reach each other on the loopback address.

use std::net::SocketAddr;
use std::sync::Arc;

use rustix::process::Signal;

use super::postgres_server::PostgresServer;
use super::running_database::RunningDatabase;
use crate::launch::LaunchSpec;
use crate::readiness::Readiness;
use crate::services::{Child, ServiceRuntime, ServiceSpec};
use crate::spec::{ServiceTemplate, StackSpec};
use crate::stack_dir::StackDir;
use crate::stack_error::StackError;
use crate::system::Environment;

/// Starts PostgreSQL on a port of this machine.
pub(super) async fn start_database(
    stack_dir: &Arc<StackDir>,
    port: u16,
    app_role: &str,
) -> Result<RunningDatabase, StackError> {
    let server = PostgresServer::start(stack_dir, port).await?;
    let credentials = server.credentials(app_role);
    Ok(RunningDatabase {
        service: server.service,
        credentials,
    })
}

/// The description of a service of the pipeline that listens on an address.
pub(super) fn service_spec(
    template: &ServiceTemplate,
    name: String,
    spec: &StackSpec,
    environment: Environment,
    address: SocketAddr,
) -> ServiceSpec {
    ServiceSpec {
        launch: LaunchSpec {
            name,
            args: spec.pipeline.with(&[template.subcommand]),
            environment,
            stop_signal: Signal::TERM,
        },
        readiness: Readiness::Health(address),
        runtime: ServiceRuntime::Child(Child::new(&spec.pipeline.program)),
    }
}
