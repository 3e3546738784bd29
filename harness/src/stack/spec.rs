//! What a stack is made of, before it is started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::card::StackKind;
use super::settings::PipelineSettings;

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
    pub(crate) fn with(&self, more: &[&str]) -> Vec<OsString> {
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

/// What a stack is made of.
#[derive(Clone, Debug)]
pub struct StackSpec {
    /// What it runs on.
    pub kind: StackKind,
    /// What its containers are made from, where it has such.
    pub images: Images,
    /// Runs a part of the pipeline: `api`, `worker` or `migrate` comes after it.
    pub pipeline: CommandLine,
    /// Runs the stand-ins.
    pub standins: CommandLine,
    /// How many workers there are.
    pub workers: usize,
    /// The seeded defect of the pipeline.
    pub pipeline_defect: Option<String>,
    /// The seeded defect of the stand-ins.
    pub standin_defect: Option<String>,
    /// The pipeline's settings.
    pub settings: PipelineSettings,
    /// The buckets of its storage.
    pub buckets: Vec<String>,
    /// What differs in the environment of the pipeline's processes.
    pub environment_overrides: Overrides,
    /// Where stacks have their directories.
    pub root: PathBuf,
}

impl StackSpec {
    /// A sound stack with one worker, all of whose parts are subcommands of one program.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        Self {
            kind: StackKind::default(),
            images: Images::default(),
            pipeline: CommandLine::new(&program, &["reference"]),
            standins: CommandLine::new(&program, &["standins"]),
            workers: 1,
            pipeline_defect: None,
            standin_defect: None,
            settings: PipelineSettings::default(),
            buckets: vec!["files".to_owned()],
            environment_overrides: Overrides::new(),
            root: std::env::temp_dir(),
        }
    }
}

/// Applies changes to an environment.
pub(crate) fn apply(environment: &mut BTreeMap<String, String>, overrides: &Overrides) {
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

    #[test]
    fn an_override_replaces_or_takes_away() {
        let mut environment = PipelineSettings::default().environment();
        let overrides = Overrides::from([
            ("EMBED_MODEL".to_owned(), Some("other".to_owned())),
            ("ENVIRONMENT".to_owned(), None),
        ]);
        apply(&mut environment, &overrides);
        assert_eq!(environment["EMBED_MODEL"], "other");
        assert!(!environment.contains_key("ENVIRONMENT"));
    }
}
