//! Capabilities: what a check requires and what a target grants.

use std::collections::BTreeSet;
use std::fmt;

use cutover_fault::LinkName;

/// An access or control right that a check requires and a target grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// The API is reachable, and test tenants can authenticate.
    Http,
    /// The database can be read.
    Database,
    /// Stored objects can be read.
    Storage,
    /// Parser, embedder, storage and identity provider are stand-ins that can be programmed.
    Standins,
    /// API, workers and database run as processes of a stack that cutover controls.
    Processes,
    /// The logs of API and workers can be read.
    Logs,
    /// Tokens can be signed as the identity provider signs them: for any tenant, valid or forged.
    Minting,
    /// The workers can be stopped and started.
    WorkerStop,
    /// The workers can be paused and resumed.
    WorkerPause,
    /// The number of workers can be changed.
    WorkerScale,
    /// The API can be stopped and started.
    ApiStop,
    /// Connections between the system and its dependencies pass through cutover.
    Links,
}

/// A row of [`CAPABILITIES`].
struct CapabilitySpec {
    capability: Capability,
    /// The name in files and on the terminal.
    name: &'static str,
    /// The section of a target file that grants it. Control actions have keys of their own.
    section: Option<&'static str>,
}

/// Every capability, in the order of the enum.
const CAPABILITIES: [CapabilitySpec; 12] = [
    row(Capability::Http, "http", Some("[api]")),
    row(Capability::Database, "database", Some("[database]")),
    row(Capability::Storage, "storage", Some("[storage]")),
    row(Capability::Standins, "standins", Some("[standins]")),
    row(Capability::Processes, "processes", None),
    row(Capability::Logs, "logs", Some("[logs]")),
    row(Capability::Minting, "minting", Some("[identity.mint]")),
    row(Capability::WorkerStop, "worker-stop", None),
    row(Capability::WorkerPause, "worker-pause", None),
    row(Capability::WorkerScale, "worker-scale", None),
    row(Capability::ApiStop, "api-stop", None),
    row(Capability::Links, "links", Some("[links]")),
];

const fn row(
    capability: Capability,
    name: &'static str,
    section: Option<&'static str>,
) -> CapabilitySpec {
    CapabilitySpec {
        capability,
        name,
        section,
    }
}

/// The capabilities that a target grants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(BTreeSet<Capability>);

impl Capability {
    /// Every capability.
    pub fn all() -> impl Iterator<Item = Self> {
        CAPABILITIES.iter().map(|spec| spec.capability)
    }

    /// The name in files and on the terminal.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The section of a target file that grants it, if one does.
    pub fn section(self) -> Option<&'static str> {
        self.spec().section
    }

    fn spec(self) -> &'static CapabilitySpec {
        &CAPABILITIES[self as usize]
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Grants {
    /// Whether the capability is granted.
    pub fn include(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }

    /// The first of these capabilities that is not granted.
    pub fn first_missing(&self, needs: &[Capability]) -> Option<Capability> {
        needs.iter().copied().find(|need| !self.include(*need))
    }
}

impl FromIterator<Capability> for Grants {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().collect())
    }
}

/// What to add to a target file for a link.
pub(crate) fn missing_link(link: LinkName) -> String {
    let every = link.of_every_part();
    let every = every.map_or_else(String::new, |every| format!(" or [links.{every}]"));
    format!("add [links.{link}]{every} to the target file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_order_of_the_enum_and_its_names_are_unique() {
        let names: BTreeSet<_> = Capability::all().map(Capability::name).collect();
        assert_eq!(names.len(), CAPABILITIES.len());
        for (index, capability) in Capability::all().enumerate() {
            assert_eq!(capability as usize, index, "{capability}");
        }
    }
}
