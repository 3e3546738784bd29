//! The target file: its keys, defaults and derived limits.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cutover_reports::record::{Effect, TargetSummary};
use schemars::JsonSchema;
use serde::Deserialize;

use super::attached::{
    ApiSettings, Attachment, CallbackSettings, DatabaseSettings, IdentitySettings, StorageSettings,
};
use super::documents::DocumentSettings;
use super::logs::LogSettings;
use super::standins::StandinAddresses;
use crate::capability::{Capability, Grants};
use crate::control::ControlSettings;
use crate::environment::{Class, IdentificationSettings, is_this_machine};
use crate::resources::ResourceSettings;
use crate::safety::SafetySettings;
use cutover_fault::{LinkName, LinkSettings};
use cutover_stack::{Images, StackKind};

/// Where the system under test is, and what a run may do to it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The name of the file, for errors.
    #[serde(skip)]
    pub(super) origin: String,
    /// The path of the file; nothing for the embedded target.
    #[serde(skip)]
    pub(super) file: Option<PathBuf>,
    /// The version of the file's format: 1.
    pub schema: u32,
    /// The name of the target in reports.
    pub name: String,
    /// The class of the environment, which limits the effects of checks.
    pub class: Class,
    /// The stack, where cutover starts it.
    #[serde(default)]
    pub stack: StackSettings,
    /// The API of an attached target. Without it, cutover starts a stack.
    pub api: Option<ApiSettings>,
    /// How test tenants authenticate at an attached target.
    #[serde(default)]
    pub identity: IdentitySettings,
    /// How an attached target says which environment it is.
    #[serde(default)]
    pub identification: IdentificationSettings,
    /// The database of an attached target, if it may be read.
    pub database: Option<DatabaseSettings>,
    /// The object storage of an attached target, if it may be read.
    pub storage: Option<StorageSettings>,
    /// The stand-ins of an attached target's providers. A run starts them where they do not
    /// run already.
    pub standins: Option<StandinAddresses>,
    /// How callbacks of the parser are authenticated, where the contract requires a static secret.
    pub callback: Option<CallbackSettings>,
    /// The logs of an attached target, if they may be read.
    #[serde(default)]
    pub logs: LogSettings,
    /// The processes of an attached target, which are sampled while a load runs.
    #[serde(default)]
    pub resources: ResourceSettings,
    /// Documents of the user's own.
    #[serde(default)]
    pub documents: DocumentSettings,
    /// The connections of an attached target that pass through cutover.
    #[serde(default)]
    pub links: BTreeMap<LinkName, LinkSettings>,
    /// The commands that stop, start, pause and scale the processes of an attached target.
    #[serde(default)]
    pub control: ControlSettings,
    /// What protects an attached target from a run.
    #[serde(default)]
    pub safety: SafetySettings,
    /// Overrides of the default contract: any key of the contract.
    #[serde(default)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub contract: toml::Table,
}

/// The stack that cutover starts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StackSettings {
    /// Processes or containers.
    pub kind: StackKind,
    /// The number of workers.
    pub workers: usize,
    /// The number of exclusive checks that run at a time, each on a stack of its own.
    pub lanes: usize,
    /// Additional environment variables of the pipeline's processes.
    pub environment: BTreeMap<String, String>,
    /// The images of containers.
    pub images: Images,
}

impl Default for StackSettings {
    fn default() -> Self {
        Self {
            kind: StackKind::Processes,
            workers: 1,
            lanes: 2,
            environment: BTreeMap::new(),
            images: Images::default(),
        }
    }
}

impl Target {
    /// The capabilities that the target grants. A stack that cutover starts grants all.
    pub fn grants(&self) -> Grants {
        let Some(attachment) = self.attachment() else {
            return Capability::all().collect();
        };
        let granted = [
            (Capability::Http, true),
            (Capability::Database, attachment.database.is_some()),
            (Capability::Storage, attachment.storage.is_some()),
            (Capability::Standins, attachment.standins.is_some()),
            (Capability::Minting, attachment.identity.mint.is_some()),
            (Capability::Links, !self.links.is_empty()),
            (Capability::Logs, !self.logs.sources.is_empty()),
        ];
        let granted = granted.into_iter().filter(|(_, granted)| *granted);
        let granted = granted.map(|(capability, _)| capability);
        granted.chain(self.control.grants()).collect()
    }

    /// How to reach the target, if it is attached.
    pub fn attachment(&self) -> Option<Attachment<'_>> {
        Some(Attachment {
            api: self.api.as_ref()?,
            identity: &self.identity,
            identification: &self.identification,
            database: self.database.as_ref(),
            storage: self.storage.as_ref(),
            standins: self.standins.as_ref(),
            callback: self.callback.as_ref(),
            links: &self.links,
            logs: &self.logs,
            resources: &self.resources,
        })
    }

    /// Whether connections pass through this link, or through one of every part of the system to the same
    /// dependency. A stack that cutover starts has all links.
    pub fn has_link(&self, name: LinkName) -> bool {
        let every = name.of_every_part();
        let given = |name| self.links.contains_key(&name);
        self.attachment().is_none() || given(name) || every.is_some_and(given)
    }

    /// The limit of requests per second, if there is one.
    pub fn requests_per_second(&self) -> Option<f64> {
        self.safety.requests_per_second.or(match self.class {
            Class::Local => None,
            Class::Staging => Some(100.0),
            Class::Production => Some(20.0),
        })
    }

    /// The largest effect that a check may have on it.
    pub fn max_effect(&self) -> Effect {
        if self.counts_as_production() {
            return Effect::WriteTenant;
        }
        match self.class {
            Class::Local => Effect::Destructive,
            Class::Staging => Effect::Fault,
            Class::Production => Effect::WriteTenant,
        }
    }

    /// Whether effects are limited as in production: its class says so, or nothing proves its class
    /// and it is not on this machine.
    pub fn counts_as_production(&self) -> bool {
        let is_elsewhere = || {
            self.attachment()
                .is_some_and(|attachment| attachment.hosts().any(|host| !is_this_machine(host)))
        };
        self.class == Class::Production || (self.identification.is_unproved() && is_elsewhere())
    }

    /// The target as a plan records it.
    pub fn summary(&self, defect: Option<String>) -> TargetSummary {
        TargetSummary {
            name: self.name.clone(),
            file: self.file.as_ref().map(|file| file.display().to_string()),
            class: self.class.to_string(),
            stack: match self.api {
                Some(_) => "attached".to_owned(),
                None => self.stack.kind.to_string(),
            },
            defect,
        }
    }
}
