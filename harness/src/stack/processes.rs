//! A stack of processes: every part is a child of this process, and all of them meet on the loopback address.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use rustix::process::Signal;

use super::ground::Database;
use super::keys::Keys;
use super::postgres::Server;
use super::process::{Body, Child, Recipe};
use super::readiness::Readiness;
use super::site::Site;
use super::spec::StackSpec;
use super::start::StackError;
use super::wiring::Part;

/// PostgreSQL on a port of this machine.
pub(super) async fn database(
    site: &Arc<Site>,
    port: u16,
    keys: &Keys,
) -> Result<Database, StackError> {
    let server = Server::start(site, port).await?;
    let card = server.card(&keys.app_password);
    Ok(Database {
        process: server.process,
        owner_url: card.url.clone(),
        card,
    })
}

/// How to run a part of the pipeline at an address.
pub(super) fn part(
    part: Part,
    name: String,
    spec: &StackSpec,
    environment: &BTreeMap<String, String>,
    address: SocketAddr,
) -> Recipe {
    let own = (part.address_variable().to_owned(), address.to_string());
    Recipe {
        name,
        args: spec.pipeline.with(&[part.subcommand()]),
        environment: environment.clone().into_iter().chain([own]).collect(),
        readiness: Readiness::Health(address),
        graceful: Signal::TERM,
        body: Body::Child(Child::of(&spec.pipeline.program)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::wiring::local;

    #[test]
    fn a_worker_is_told_where_to_listen() {
        let spec = StackSpec::new("/bin/cutover");
        let name = "worker-1".to_owned();
        let recipe = part(Part::Worker, name, &spec, &BTreeMap::new(), local(7));
        assert_eq!(recipe.args, ["reference", "worker"]);
        assert_eq!(recipe.environment["WORKER_ADDR"], "127.0.0.1:7");
    }
}
