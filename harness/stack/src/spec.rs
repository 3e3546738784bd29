//! The description from which a stack is started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cutover_fault::LinkName;
use schemars::JsonSchema;
use serde::Deserialize;

use super::stack_info::StackKind;
use super::system::System;

/// Changes to the environment of a pipeline service; `None` removes the variable.
pub type Overrides = BTreeMap<String, Option<String>>;

/// A program and its first arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The program.
    pub program: PathBuf,
    /// The arguments before those of the caller.
    pub args: Vec<OsString>,
}

impl CommandLine {
    /// A program with its first arguments.
    pub fn new(program: impl Into<PathBuf>, args: &[&str]) -> Self {
        Self {
            program: program.into(),
            args: args.iter().map(OsString::from).collect(),
        }
    }

    /// All arguments, followed by these.
    pub fn with(&self, more: &[&str]) -> Vec<OsString> {
        let more = more.iter().map(OsString::from);
        self.args.iter().cloned().chain(more).collect()
    }
}

/// The images of a stack of containers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Images {
    /// PostgreSQL with pgvector, configured with the environment variables of the official images.
    pub postgres: String,
    /// The pipeline; its argument is `api`, `worker` or `migrate`.
    pub pipeline: String,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            postgres: "pgvector/pgvector:pg17".to_owned(),
            pipeline: "cutover-pipeline:latest".to_owned(),
        }
    }
}

/// What is specific to one kind of service of the pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTemplate {
    /// The subcommand of the pipeline that runs the service.
    pub subcommand: &'static str,
    /// The variable with the address on which the service listens.
    pub address_variable: &'static str,
}

/// The other end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// PostgreSQL.
    Database,
    /// The API.
    Api,
    /// The stand-in with this name.
    Standin(&'static str),
}

/// A link of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackLink {
    /// The link, which says who connects.
    pub name: LinkName,
    /// To what.
    pub end: LinkEnd,
}

/// The description from which a stack is started.
#[derive(Clone, Debug)]
pub struct StackSpec {
    /// What the stack runs on.
    pub kind: StackKind,
    /// The images of the containers, if it runs on containers.
    pub images: Images,
    /// The program of the pipeline, without a subcommand.
    pub pipeline: CommandLine,
    /// The API.
    pub api: ServiceTemplate,
    /// The workers.
    pub worker: ServiceTemplate,
    /// The subcommand of the pipeline that migrates the database.
    pub migration: &'static str,
    /// The database role of the services.
    pub app_role: &'static str,
    /// The program of the stand-ins.
    pub standins: CommandLine,
    /// The names of the stand-ins.
    pub standin_names: &'static [&'static str],
    /// The connections between the services that pass through proxies.
    pub links: &'static [StackLink],
    /// The number of workers.
    pub workers: usize,
    /// How long a service may take to shut down.
    pub shutdown_timeout: Duration,
    /// The configuration of the services.
    pub system: Arc<dyn System>,
    /// The directory that contains the directories of stacks.
    pub root: PathBuf,
}

impl StackSpec {
    /// The same stack, whose services connect directly. Links end with this process.
    #[must_use]
    pub fn without_links(&self) -> Self {
        Self {
            links: &[],
            ..self.clone()
        }
    }
}

/// Applies overrides to an environment.
pub fn apply(environment: &mut BTreeMap<String, String>, overrides: &Overrides) {
    for (name, value) in overrides {
        match value {
            Some(value) => environment.insert(name.clone(), value.clone()),
            None => environment.remove(name),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Environment;

    #[test]
    fn an_override_replaces_or_removes_a_variable() {
        let mut environment = Environment::from([
            ("ENVIRONMENT".to_owned(), "local".to_owned()),
            ("EMBED_MODEL".to_owned(), "m".to_owned()),
        ]);
        let overrides = Overrides::from([
            ("EMBED_MODEL".to_owned(), Some("other".to_owned())),
            ("ENVIRONMENT".to_owned(), None),
        ]);
        apply(&mut environment, &overrides);
        assert_eq!(environment["EMBED_MODEL"], "other");
        assert!(!environment.contains_key("ENVIRONMENT"));
    }
}
