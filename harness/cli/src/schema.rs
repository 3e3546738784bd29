//! `cutover schema`: the JSON Schema of a configuration file, for editors.

use clap::{Args, ValueEnum};
use cutover_reports::exit;
use cutover_reports::policy::Policy;

use crate::CommandError;
use crate::output::print_line;
use anyhow::Context as _;
use cutover_contract::contract::Contract;
use cutover_harness::target_file::Target;

/// Print the JSON Schema of a configuration file
#[derive(Args, Debug)]
pub(super) struct Schema {
    /// The kind of file
    kind: FileKind,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FileKind {
    /// Where a pipeline runs and how to reach it
    Target,
    /// What a pipeline promises: routes, fields, limits
    Contract,
    /// How a run is judged
    Policy,
}

impl Schema {
    pub(super) fn run(self) -> Result<u8, CommandError> {
        let schema = match self.kind {
            FileKind::Target => schemars::schema_for!(Target),
            FileKind::Contract => schemars::schema_for!(Contract),
            FileKind::Policy => schemars::schema_for!(Policy),
        };
        let text = serde_json::to_string_pretty(&schema).context("encode the schema")?;
        print_line(text)?;
        Ok(exit::GO)
    }
}
