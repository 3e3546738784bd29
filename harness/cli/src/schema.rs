//! `cutover schema`: the JSON Schema of a configuration file, for editors.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use cutover_reports::exit;
use cutover_reports::policy::Policy;

use super::CommandError;
use cutover_contract::contract::Contract;
use cutover_harness::target_file::Target;

/// Print the JSON Schema of a configuration file
#[derive(Args, Debug)]
pub(super) struct Schema {
    /// Which file
    of: Document,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Document {
    Target,
    Contract,
    Policy,
}

impl Schema {
    pub(super) fn run(self) -> Result<u8, CommandError> {
        let schema = match self.of {
            Document::Target => schemars::schema_for!(Target),
            Document::Contract => schemars::schema_for!(Contract),
            Document::Policy => schemars::schema_for!(Policy),
        };
        writeln!(
            anstream::stdout(),
            "{}",
            serde_json::to_string_pretty(&schema)?
        )?;
        Ok(exit::GO)
    }
}
