//! The catalog of a binary: its suites, companion programs, embedded files and seeded defects.

use std::ffi::OsString;
use std::process::ExitCode;

use cutover_reports::record::{CheckId, PlannedRule};
use serde_json::Value;

use crate::reference::ReferenceSystem;
use crate::rule::Rule;
pub use crate::seeded_defect::{DefectClass, DefectLocation, SeededDefect};
use crate::suite::{Case, Suite};

/// What a binary of cutover contains.
pub struct Catalog {
    /// The suites, in the order in which they are listed.
    pub suites: Vec<Suite>,
    /// The companion programs of the binary.
    pub companions: Vec<Companion>,
    /// The default contract.
    pub contract: Embedded,
    /// The default target.
    pub target: Embedded,
    /// The system that cutover's own stacks run.
    pub reference: &'static dyn ReferenceSystem,
    /// The defects that the reference stack can be started with, by topic.
    pub defect_tables: &'static [&'static [SeededDefect]],
    /// The random walk of faults.
    pub random_walk: RandomWalk,
}

/// A check that follows a schedule of random faults, and takes another one as a parameter.
#[derive(Clone, Copy, Debug)]
pub struct RandomWalk {
    /// The id of the check.
    pub check: &'static str,
    /// Whether a schedule can be followed; otherwise why not.
    pub check_schedule: fn(&Value) -> Result<(), String>,
}

impl RandomWalk {
    /// The name of a schedule among the parameters and the observations of the check.
    pub const SCHEDULE: &str = "schedule";
    /// The parameter for the seed of a schedule.
    pub const SEED: &str = "seed";
}

/// A companion program of the binary, started as `cutover <name> …`.
pub struct Companion {
    /// The subcommand.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Runs it with its arguments; the subcommand takes the place of the program name.
    pub run: fn(Vec<OsString>) -> ExitCode,
}

/// A file that is built into the binary.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    /// Its name in error messages.
    pub origin: &'static str,
    /// Its text.
    pub text: &'static str,
}

impl Catalog {
    pub(crate) fn cases(&self) -> impl Iterator<Item = (&Suite, &Case)> {
        self.suites
            .iter()
            .flat_map(|suite| suite.cases().iter().map(move |case| (suite, case)))
    }

    pub(crate) fn case(&self, id: &CheckId) -> Option<&Case> {
        self.cases()
            .map(|(_, case)| case)
            .find(|case| &case.id == id)
    }

    /// All rules of the suites, in the order in which they are listed.
    pub fn rules(&self) -> Vec<PlannedRule> {
        let rules = self.suites.iter().flat_map(Suite::rules);
        rules.map(Rule::planned).collect()
    }

    /// All seeded defects, in the order in which they are listed.
    pub fn defects(&self) -> impl Iterator<Item = &'static SeededDefect> + use<> {
        self.defect_tables.iter().copied().flatten()
    }

    /// The seeded defect of this id or slug.
    pub fn defect(&self, id_or_slug: &str) -> Result<&'static SeededDefect, UnknownDefect> {
        self.defects()
            .find(|defect| defect.id == id_or_slug || defect.slug == id_or_slug)
            .ok_or_else(|| UnknownDefect {
                name: id_or_slug.to_owned(),
                hint: self.nearest_defect(id_or_slug),
            })
    }

    /// A hint that names the id or slug most similar to a misspelt one, if any is similar.
    fn nearest_defect(&self, misspelt: &str) -> String {
        self.defects()
            .flat_map(|defect| [defect.id, defect.slug])
            .map(|name| (strsim::jaro_winkler(misspelt, name), name))
            .filter(|(similarity, _)| *similarity > SIMILAR)
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .map_or_else(String::new, |(_, name)| format!("did you mean '{name}'? "))
    }
}

/// The similarity above which a name is suggested in place of a misspelt one.
const SIMILAR: f64 = 0.7;

/// A name that is neither the id nor the slug of a seeded defect.
#[derive(Debug, thiserror::Error)]
#[error("find seeded defect '{name}': {hint}`cutover list --defects` lists all of them")]
pub struct UnknownDefect {
    name: String,
    hint: String,
}

impl UnknownDefect {
    /// The unknown name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The remedy: the most similar name, if any, and where all names are listed.
    pub fn help(&self) -> String {
        format!("{}`cutover list --defects` lists all defects", self.hint)
    }
}
