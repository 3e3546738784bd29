//! A stack of processes: every part is a child of this process, and all of them meet on the loopback address.

use std::net::SocketAddr;
use std::sync::Arc;

use rustix::process::Signal;

use super::ground::Database;
use super::postgres::Server;
use super::process::{Body, Child, Recipe};
use super::readiness::Readiness;
use super::site::StackDir;
use super::spec::{ServiceTemplate, StackSpec};
use super::start::StackError;
use super::system::Environment;

/// PostgreSQL on a port of this machine.
pub(super) async fn database(
    site: &Arc<StackDir>,
    port: u16,
    app_role: &str,
) -> Result<Database, StackError> {
    let server = Server::start(site, port).await?;
    let credentials = server.credentials(app_role);
    Ok(Database {
        process: server.process,
        credentials,
    })
}

/// How to run a part of the pipeline at an address.
pub(super) fn part(
    part: &ServiceTemplate,
    name: String,
    spec: &StackSpec,
    environment: &Environment,
    address: SocketAddr,
) -> Recipe {
    let own = (part.address_variable.to_owned(), address.to_string());
    Recipe {
        name,
        args: spec.pipeline.with(&[part.subcommand]),
        environment: environment.clone().into_iter().chain([own]).collect(),
        readiness: Readiness::Health(address),
        graceful: Signal::TERM,
        body: Body::Child(Child::of(&spec.pipeline.program)),
    }
}
