//! Options that several verbs share: which target, which policy, how to print.

use std::fs;
use std::path::{Path, PathBuf};

use anstream::ColorChoice;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use cutover_reports::policy::Policy;
use cutover_reports::render::Palette;

use cutover_harness::catalog::Catalog;
use cutover_harness::runner::Verbosity;
use cutover_harness::target_file::Target;

/// What is examined.
#[derive(Args, Debug)]
pub(super) struct TargetOption {
    /// The target file; without one, the embedded local stack
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
}

/// By which rules it is judged.
#[derive(Args, Debug)]
pub(super) struct PolicyOption {
    /// The policy file; without one, the embedded default
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// How it is printed.
#[derive(Args, Debug)]
pub(super) struct PrintOptions {
    /// When to use colour; `NO_COLOR` is honoured
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    color: When,
}

/// How much is printed while checks run.
#[derive(Args, Debug, Default)]
pub(super) struct VerbosityOptions {
    /// Print the verdict alone
    #[arg(long, short)]
    quiet: bool,
    /// Print a line for every check, not only for failures
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
}

/// When to do something that not every terminal can.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum When {
    /// Where the output can
    Auto,
    /// In any case
    Always,
    /// In no case
    Never,
}

impl TargetOption {
    pub(super) fn read(&self, catalog: &Catalog) -> anyhow::Result<Target> {
        Ok(match &self.target {
            Some(path) => Target::read(path)?,
            None => Target::parse(catalog.target.text, catalog.target.origin)?,
        })
    }
}

impl PolicyOption {
    pub(super) fn read(&self) -> anyhow::Result<Policy> {
        let Some(path) = &self.policy else {
            return Ok(Policy::default_gate());
        };
        let text = fs::read_to_string(path).with_context(|| {
            format!(
                "read policy '{}'; without --policy the embedded default is used",
                path.display()
            )
        })?;
        Ok(Policy::parse(&text, &path.display().to_string())?)
    }
}

impl VerbosityOptions {
    pub(super) fn level(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
    }
}

impl PrintOptions {
    /// Tells the streams what they may show.
    pub(super) fn apply(&self) {
        match self.color {
            When::Auto => {}
            When::Always => ColorChoice::Always.write_global(),
            When::Never => ColorChoice::Never.write_global(),
        }
    }

    /// The colours of a stream that may or may not show them.
    pub(super) fn palette(stream: &impl anstream::stream::RawStream) -> Palette {
        match anstream::AutoStream::choice(stream) {
            ColorChoice::Never => Palette::Plain,
            ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => Palette::Ansi,
        }
    }
}

/// The directory of all runs, where no other is named.
pub(super) fn default_output() -> &'static Path {
    Path::new("target/cutover")
}
