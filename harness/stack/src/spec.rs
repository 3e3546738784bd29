//! What a stack is made of, before it is started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::info::StackKind;
use super::system::System;

/// Changes to a pipeline process's environment; no value takes the variable away.
pub type Overrides = BTreeMap<String, Option<String>>;

/// A program and its first arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The program.
    pub program: PathBuf,
    /// The arguments that come before ours.
    pub args: Vec<OsString>,
}

impl CommandLine {
    /// A program's subcommand.
    pub fn new(program: impl Into<PathBuf>, args: &[&str]) -> Self {
        Self {
            program: program.into(),
            args: args.iter().map(OsString::from).collect(),
        }
    }

    /// All arguments, with these at the end.
    pub fn with(&self, more: &[&str]) -> Vec<OsString> {
        let more = more.iter().map(OsString::from);
        self.args.iter().cloned().chain(more).collect()
    }
}

/// The images of a stack of containers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Images {
    /// PostgreSQL with pgvector, told what to be as the official images are.
    pub postgres: String,
    /// The pipeline: `api`, `worker` or `migrate` is its argument.
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

/// How a service of the pipeline is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTemplate {
    /// The subcommand of the pipeline that runs it.
    pub subcommand: &'static str,
    /// The variable that says where it listens.
    pub address_variable: &'static str,
}

/// What a stack is made of.
#[derive(Clone, Debug)]
pub struct StackSpec {
    /// What it runs on.
    pub kind: StackKind,
    /// The images of its containers.
    pub images: Images,
    /// The program of the pipeline, before its subcommand.
    pub pipeline: CommandLine,
    /// The API.
    pub api: ServiceTemplate,
    /// A worker.
    pub worker: ServiceTemplate,
    /// The subcommand of the pipeline that migrates the database.
    pub migration: &'static str,
    /// The role of the services in the database.
    pub app_role: &'static str,
    /// The program of the stand-ins.
    pub standins: CommandLine,
    /// The names of the stand-ins.
    pub standin_names: &'static [&'static str],
    /// How many workers there are.
    pub workers: usize,
    /// How long a service may take to shut down.
    pub shutdown_timeout: Duration,
    /// What the services are configured with.
    pub system: Arc<dyn System>,
    /// Where stacks have their directories.
    pub root: PathBuf,
}

/// Applies changes to an environment.
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
    fn an_override_replaces_or_takes_away() {
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
