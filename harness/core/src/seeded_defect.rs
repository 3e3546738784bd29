//! Seeded defects: deviations of the reference stack that can be switched on to test the checks.

use std::fmt;

use cutover_reports::record::Severity;

/// A deviation of the reference stack that can be switched on, modelled on a defect of a real pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeededDefect {
    /// Its id: a letter for the origin of the defect, and a number. `I` is an incident in operation,
    /// `C` an inspection of code, `X` an addition of this project, `S` a stand-in, `E` the environment.
    pub id: &'static str,
    /// A readable name in kebab-case, as unique as the id.
    pub slug: &'static str,
    /// What is wrong, in one sentence.
    pub title: &'static str,
    /// What kind of defect it is.
    pub class: DefectClass,
    /// How severe the defect is.
    pub severity: Severity,
    /// Where it is seeded; a defect may sit in several places at once.
    pub locations: &'static [DefectLocation],
    /// The checks of which at least one must fail when the defect is present; or those that measure it, see `measurement`.
    pub checks: &'static [&'static str],
    /// The measurement that becomes worse, if only a comparison with a baseline detects the defect. Its checks pass.
    pub measurement: Option<&'static str>,
}

/// What kind of defect it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefectClass {
    /// Data is lost, wrong or mixed up.
    DataIntegrity,
    /// The service does not do its work.
    Availability,
    /// The service is slow or wastes resources.
    Performance,
    /// A caller's identity is not verified.
    Authentication,
    /// A caller may do or see too much, or too little.
    Authorization,
    /// Input is misread, or not validated.
    Input,
    /// A setting is wrong, or not validated.
    Configuration,
    /// Schema and code do not match.
    Migration,
    /// The service reports something wrong, or nothing.
    Observability,
    /// A release is incomplete or mixed.
    Deployment,
}

/// A place where a defect is seeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefectLocation {
    /// In the pipeline's code or schema.
    Pipeline,
    /// In a stand-in.
    Standins,
    /// In the environment that the pipeline is started with: variables that
    /// differ, or are missing.
    Environment(&'static [(&'static str, Option<&'static str>)]),
    /// In the database, before the services start: SQL that leaves rows, types or
    /// constraints as an earlier version left them. The current schema is in place.
    Database(&'static str),
}

impl fmt::Display for DefectClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::DataIntegrity => "data-integrity",
            Self::Availability => "availability",
            Self::Performance => "performance",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Input => "input",
            Self::Configuration => "configuration",
            Self::Migration => "migration",
            Self::Observability => "observability",
            Self::Deployment => "deployment",
        })
    }
}
