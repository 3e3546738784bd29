//! Options that several subcommands share: target, policy, selection and output.

use std::fs;
use std::path::{Path, PathBuf};

use anstream::ColorChoice;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use cutover_reports::policy::Policy;
use cutover_reports::record::{Profile, Selection};
use cutover_reports::render::Palette;

use crate::UsageError;
use cutover_harness::catalog::Catalog;
use cutover_harness::runner::Verbosity;
use cutover_harness::target_file::Target;

/// The target to check.
#[derive(Args, Debug)]
pub(super) struct TargetOption {
    /// Target file [default: the embedded reference stack]
    #[arg(long, value_name = "FILE")]
    pub(super) target: Option<PathBuf>,
}

/// The policy to judge with.
#[derive(Args, Debug)]
pub(super) struct PolicyOption {
    /// Policy file [default: the embedded policy]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// The checks to select.
#[derive(Args, Debug)]
pub(super) struct SelectionOptions {
    /// Profile, which decides how much is checked
    #[arg(long, default_value_t = Profile::Gate, value_parser = profile_parser())]
    pub(super) profile: Profile,
    /// Only this suite (may be repeated)
    #[arg(long, value_name = "SUITE")]
    pub(super) suite: Vec<String>,
    /// Only checks whose id contains this text (may be repeated)
    #[arg(long, value_name = "TEXT")]
    pub(super) check: Vec<String>,
}

/// How to print.
#[derive(Args, Debug)]
pub(super) struct PrintOptions {
    /// When to use colour; `NO_COLOR` is honoured
    #[arg(long, value_enum, default_value_t = ColorMode::Auto, value_name = "WHEN")]
    color: ColorMode,
}

/// How much to print while checks run.
#[derive(Args, Debug, Default)]
pub(super) struct VerbosityOptions {
    /// Print the verdict only
    #[arg(long, short)]
    quiet: bool,
    /// Print a line for every check, not only for failures
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorMode {
    /// If the output is a terminal that supports it
    Auto,
    /// In any case
    Always,
    /// In no case
    Never,
}

/// The profiles with their names and help texts.
const PROFILES: [(Profile, &str, &str); 4] = [
    (Profile::Quick, "quick", "Fast checks, before every push"),
    (Profile::Gate, "gate", "All checks, before promotion"),
    (
        Profile::Smoke,
        "smoke",
        "Read-only and tenant-scoped checks, right after cutover",
    ),
    (
        Profile::Soak,
        "soak",
        "All checks in repeated rounds, to detect leaks and drift",
    ),
];

pub(super) fn profile_parser() -> impl TypedValueParser<Value = Profile> {
    let values = PROFILES.map(|(_, name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(values).try_map(|value| {
        PROFILES
            .iter()
            .find(|(_, name, _)| *name == value)
            .map(|(profile, ..)| *profile)
            .ok_or("there is no such profile")
    })
}

impl TargetOption {
    pub(super) fn read(&self, catalog: &Catalog) -> anyhow::Result<Target> {
        Ok(match &self.target {
            Some(path) => Target::read(path)?,
            None => Target::parse(catalog.target.text, catalog.target.origin)?,
        })
    }
}

impl VerbosityOptions {
    /// Nothing is printed while checks run.
    pub(super) fn quiet() -> Self {
        Self {
            quiet: true,
            verbose: false,
        }
    }

    pub(super) fn level(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
    }
}

impl PolicyOption {
    pub(super) fn read(&self) -> anyhow::Result<Policy> {
        let Some(path) = &self.policy else {
            return Ok(Policy::default_gate());
        };
        let text = fs::read_to_string(path).map_err(|error| {
            UsageError::new(
                format!("read policy '{}'", path.display()),
                error,
                "name a policy file with --policy, or omit it to use the embedded policy",
            )
        })?;
        Ok(Policy::parse(&text, &path.display().to_string())?)
    }
}

impl SelectionOptions {
    /// One check.
    pub(super) fn of_check(check: &str) -> Self {
        Self {
            check: vec![check.to_owned()],
            ..Self::all(Profile::Gate)
        }
    }

    /// The default selection of a profile.
    pub(super) fn all(profile: Profile) -> Self {
        Self {
            profile,
            suite: Vec::new(),
            check: Vec::new(),
        }
    }

    pub(super) fn selection(&self) -> Selection {
        Selection {
            suites: self.suite.clone(),
            filters: self.check.clone(),
        }
    }
}

impl PrintOptions {
    /// Sets the colour mode of standard output and standard error.
    pub(super) fn apply(&self) {
        match self.color {
            ColorMode::Auto => {}
            ColorMode::Always => ColorChoice::Always.write_global(),
            ColorMode::Never => ColorChoice::Never.write_global(),
        }
    }

    /// The colours that a stream supports.
    pub(super) fn palette(stream: &impl anstream::stream::RawStream) -> Palette {
        match anstream::AutoStream::choice(stream) {
            ColorChoice::Never => Palette::Plain,
            ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => Palette::Ansi,
        }
    }
}

/// The default directory of all runs.
pub(super) fn default_output() -> &'static Path {
    Path::new("target/cutover")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_parsed_from_its_name() {
        let command = clap::Command::new("test")
            .arg(clap::Arg::new("profile").value_parser(profile_parser()));
        for (profile, name, _) in PROFILES {
            assert_eq!(profile.to_string(), name);
            let matches = command
                .clone()
                .try_get_matches_from(["test", name])
                .unwrap();
            assert_eq!(matches.get_one::<Profile>("profile"), Some(&profile));
        }
    }
}
