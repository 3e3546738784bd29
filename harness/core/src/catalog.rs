//! Everything a binary of cutover carries: suites, companions, and what is embedded by default.

use std::ffi::OsString;
use std::process::ExitCode;

use cutover_reports::record::{CheckId, Severity};

use crate::reference::ReferenceSystem;
use crate::suite::{Case, Suite};

/// Everything a binary of cutover carries.
pub struct Catalog {
    /// The suites, in the order in which they are listed.
    pub suites: Vec<Suite>,
    /// The programs that the binary can also be.
    pub companions: Vec<Companion>,
    /// The contract that targets start from.
    pub contract: Embedded,
    /// The target that is examined when none is named.
    pub target: Embedded,
    /// The system that stacks of our own run.
    pub reference: &'static dyn ReferenceSystem,
    /// The defects that the reference stack can be started with.
    pub defects: &'static [SeededDefect],
}

/// A program that the binary can also be, started as `cutover <name> …`.
pub struct Companion {
    /// The verb.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Runs it with its arguments, the verb in the place of the program.
    pub run: fn(Vec<OsString>) -> ExitCode,
}

/// A file that is built into the binary.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    /// What it is called in error messages.
    pub origin: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// A small, marked deviation of the reference stack: the model of a defect that a real pipeline had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeededDefect {
    /// Its id, as given to `--defect`.
    pub id: &'static str,
    /// What is wrong, in one line.
    pub title: &'static str,
    /// Its class: `DI` data integrity, `AV` availability, `PF` performance, `AN` authentication,
    /// `AZ` authorization, `IN` input, `CF` configuration, `MG` migration, `OB` observability,
    /// `DP` deployment.
    pub class: &'static str,
    /// How bad the real defect was.
    pub severity: Severity,
    /// Where it is seeded.
    pub place: Place,
    /// The checks of which at least one must fail when it is present.
    pub blames: &'static [&'static str],
}

/// Where a defect is seeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the pipeline's code or schema.
    Pipeline,
    /// In a stand-in.
    Standins,
    /// In the environment that the pipeline is started with: variables that
    /// differ, or are missing.
    Environment(&'static [(&'static str, Option<&'static str>)]),
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

    /// The defect of this id.
    pub fn defect(&self, id: &str) -> Result<&'static SeededDefect, UnknownDefect> {
        let found = self.defects.iter().find(|defect| defect.id == id);
        found.ok_or_else(|| UnknownDefect(id.to_owned()))
    }
}

/// A defect that is not in the catalog.
#[derive(Debug, thiserror::Error)]
#[error("seed defect '{0}': there is none of that id; `cutover list --defects` lists them")]
pub struct UnknownDefect(String);
