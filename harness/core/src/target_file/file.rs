//! The target file, as it is written.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use cutover_reports::record::{Effect, TargetSummary};
use schemars::JsonSchema;
use serde::Deserialize;

use super::attached::{
    ApiSettings, Attachment, CallbackSettings, DatabaseSettings, IdentitySettings, StorageSettings,
};
use super::standins::StandinAddresses;
use crate::capability::{Capability, Grants};
use crate::control::ControlSettings;
use crate::safety::SafetySettings;
use cutover_fault::{LinkName, LinkSettings};
use cutover_stack::{Images, StackKind};

/// Where the system under test is, and what we may do to it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What errors call it: the file's name.
    #[serde(skip)]
    pub(super) origin: String,
    /// Where it was read; nothing where it is the embedded one.
    #[serde(skip)]
    pub(super) file: Option<PathBuf>,
    /// The version of the file's format: 1.
    pub schema: u32,
    /// The name by which reports speak of it.
    pub name: String,
    /// How much would be hurt by a mistake.
    pub class: Class,
    /// How its stack comes to be, where cutover starts it.
    #[serde(default)]
    pub stack: StackSettings,
    /// Its API, where somebody else runs it.
    pub api: Option<ApiSettings>,
    /// How its tenants come by their tokens, where somebody else runs it.
    #[serde(default)]
    pub identity: IdentitySettings,
    /// Its database, where somebody else runs it and lets us read.
    pub database: Option<DatabaseSettings>,
    /// Its objects, where somebody else runs it and lets us read.
    pub storage: Option<StorageSettings>,
    /// The stand-ins of its providers, where somebody else runs it with ours. They are looked for
    /// there, and started where nobody serves them.
    pub standins: Option<StandinAddresses>,
    /// How the parser's callback is proven there, where the contract asks for a static secret.
    pub callback: Option<CallbackSettings>,
    /// Which of its connections are led through us, where somebody else runs it.
    #[serde(default)]
    pub links: BTreeMap<LinkName, LinkSettings>,
    /// How its parts are stopped, started, paused and scaled, where somebody else runs it.
    #[serde(default)]
    pub control: ControlSettings,
    /// What protects it from us, where somebody else runs it.
    #[serde(default)]
    pub safety: SafetySettings,
    /// Where it differs from the default contract: any key of the contract.
    #[serde(default)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub contract: toml::Table,
}

/// How much would be hurt by a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Nothing but this run uses it.
    Local,
    /// Colleagues use it.
    Staging,
    /// Customers use it.
    Production,
}

/// How a stack comes to be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StackSettings {
    /// What kind of stack it is.
    pub kind: StackKind,
    /// How many workers share the queue.
    pub workers: usize,
    /// How many stacks of their own exclusive checks may have at a time.
    pub lanes: usize,
    /// Environment variables of the pipeline's processes that the contract does not set.
    pub environment: BTreeMap<String, String>,
    /// What containers are made from.
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
    /// What the target gives. A stack of our own gives everything but links: its parts meet directly.
    pub fn grants(&self) -> Grants {
        let Some(at) = self.attachment() else {
            let all = Capability::ALL.into_iter();
            return all.filter(|given| *given != Capability::Links).collect();
        };
        let given = [
            (Capability::Http, true),
            (Capability::Database, at.database.is_some()),
            (Capability::Storage, at.storage.is_some()),
            (Capability::Standins, at.standins.is_some()),
            (Capability::Minting, at.identity.mint.is_some()),
            (Capability::Links, !self.links.is_empty()),
        ];
        let given = given.into_iter().filter(|(_, given)| *given);
        let given = given.map(|(capability, _)| capability);
        given.chain(self.control.grants()).collect()
    }

    /// How to get in, where somebody else runs it.
    pub fn attachment(&self) -> Option<Attachment<'_>> {
        Some(Attachment {
            api: self.api.as_ref()?,
            identity: &self.identity,
            database: self.database.as_ref(),
            storage: self.storage.as_ref(),
            standins: self.standins.as_ref(),
            callback: self.callback.as_ref(),
            links: &self.links,
        })
    }

    /// How many requests it gets in a second, if that is limited.
    pub fn requests_per_second(&self) -> Option<f64> {
        self.safety.requests_per_second.or(match self.class {
            Class::Local => None,
            Class::Staging => Some(100.0),
            Class::Production => Some(20.0),
        })
    }

    /// The most that a check may do to it.
    pub fn most_effect(&self) -> Effect {
        match self.class {
            Class::Local => Effect::Destructive,
            Class::Staging => Effect::Fault,
            Class::Production => Effect::WriteTenant,
        }
    }

    /// The target as it stands in a plan.
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

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Staging => "staging",
            Self::Production => "production",
        })
    }
}
