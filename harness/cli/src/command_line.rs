//! The program: parses the arguments, runs the subcommand and returns the exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use cutover_reports::exit;

use crate::error_message::{error_message, refusal_message};
use crate::{
    CommandError, calibrate, completions, doctor, init, judge, list, load, proxy, regression,
    schema, smoke, stack, sweep, torment, validate,
};
use cutover_harness::catalog::Catalog;

// Every subcommand's description is the doc comment of its struct.
#[derive(Debug, Parser)]
#[command(
    name = "cutover",
    about = "Go/no-go validation for document-processing pipelines",
    max_term_width = 100,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    subcommand: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Validate(validate::Validate),
    Smoke(smoke::Smoke),
    Init(init::Init),
    Doctor(doctor::Doctor),
    Calibrate(calibrate::Calibrate),
    List(list::List),
    Judge(judge::Judge),
    Stack(stack::StackCommand),
    Sweep(sweep::Sweep),
    Torment(torment::Torment),
    Load(load::LoadCommand),
    Merge(load::Merge),
    Baseline(regression::BaselineCommand),
    Compare(regression::Compare),
    Proxy(proxy::Proxy),
    Schema(schema::Schema),
    Completions(completions::Completions),
}

/// Runs the program with the arguments of the process; `version` is what `--version` prints.
pub fn main(catalog: &Catalog, version: &'static str) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(exit_code) = run_companion(catalog, &arguments) {
        return exit_code;
    }
    let command = command(catalog, version);
    let matches = command.clone().get_matches_from(arguments);
    let parsed = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match parsed.subcommand.run(catalog, command) {
        Ok(code) => ExitCode::from(code),
        Err(CommandError::Usage(error)) => fail(&error_message(&error), exit::USAGE),
        Err(CommandError::Refused(refusal)) => fail(&refusal_message(&refusal), exit::REFUSED),
        Err(CommandError::Internal(error)) => fail(&error_message(&error), exit::INTERNAL_ERROR),
    }
}

fn fail(message: &str, code: u8) -> ExitCode {
    anstream::eprintln!("{message}");
    ExitCode::from(code)
}

impl Verb {
    fn run(self, catalog: &Catalog, command: Command) -> Result<u8, CommandError> {
        match self {
            Self::Validate(validate) => validate.run(catalog),
            Self::Smoke(smoke) => smoke.run(catalog),
            Self::Init(init) => init.run(catalog),
            Self::Doctor(doctor) => doctor.run(catalog),
            Self::Calibrate(calibrate) => calibrate.run(catalog),
            Self::List(list) => list.run(catalog),
            Self::Judge(judge) => judge.run(catalog),
            Self::Stack(stack) => stack.run(catalog),
            Self::Sweep(sweep) => sweep.run(catalog),
            Self::Torment(torment) => torment.run(catalog),
            Self::Load(load) => load.run(),
            Self::Merge(merge) => merge.run(),
            Self::Baseline(baseline) => baseline.run(),
            Self::Compare(compare) => compare.run(),
            Self::Proxy(proxy) => proxy.run(),
            Self::Schema(schema) => schema.run(),
            Self::Completions(completions) => completions.run(catalog, command),
        }
    }
}

/// Runs the companion program that the first argument names, if it names one.
fn run_companion(catalog: &Catalog, arguments: &[OsString]) -> Option<ExitCode> {
    let name = arguments.get(1)?;
    let companion = catalog
        .companions
        .iter()
        .find(|companion| name == companion.name)?;
    Some((companion.run)(arguments[1..].to_vec()))
}

/// The command line as clap knows it.
fn command(catalog: &Catalog, version: &'static str) -> Command {
    let services = catalog
        .companions
        .iter()
        .map(|companion| format!("  {:<12} {}", companion.name, companion.about))
        .collect::<Vec<_>>()
        .join("\n");
    Cli::command()
        .version(version)
        .after_help(format!("Built-in services:\n{services}\n\n{}", exit::TABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_and_every_option_has_a_help_text() {
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                let name = format!("{} {}", command.get_name(), argument.get_id());
                assert!(argument.get_help().is_some(), "{name}");
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
