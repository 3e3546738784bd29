//! The command line: one file per verb.

mod calibrate;
mod calibration;
mod common_options;
mod doctor;
mod dry_run;
mod examine;
mod init;
mod judge;
mod list;
mod page;
mod preflight;
mod schema;
mod smoke;
mod stack;
mod stack_option;
mod sweep;
mod validate;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use cutover_reports::exit;

use cutover_harness::catalog::Catalog;
use cutover_harness::interlock::Interlock;

/// Decides whether a document-processing pipeline may go to production.
#[derive(Debug, Parser)]
#[command(
    name = "cutover",
    version,
    about,
    max_term_width = 100,
    arg_required_else_help = true
)]
struct Cutover {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the suites against a target and give the verdict
    Validate(validate::Validate),
    /// Follow one synthetic document through a live target, look at its doors, leave nothing behind
    Smoke(smoke::Smoke),
    /// Write a commented target file for a pipeline that somebody runs
    Init(init::Init),
    /// Poll whether a target can be reached, and what could be checked there
    Doctor(doctor::Doctor),
    /// Validate with each seeded defect, and count what is noticed
    Calibrate(calibrate::Calibrate),
    /// List the checks: what each proves, needs and does
    List(list::List),
    /// Judge a run directory again, with this or another policy
    Judge(judge::Judge),
    /// Start or stop a stack that outlives the command
    Stack(stack::StackCommand),
    /// Remove what killed runs left behind
    Sweep(sweep::Sweep),
    /// Print the JSON Schema of a configuration file
    Schema(schema::Schema),
}

/// Why a verb came to no result of its own.
#[derive(Debug)]
enum CommandError {
    /// cutover was called or configured wrongly; nothing ran.
    Usage(anyhow::Error),
    /// An interlock does not let a run begin.
    Refused(Interlock),
    /// cutover itself broke, after it had begun.
    Internal(anyhow::Error),
}

/// What goes wrong before anything runs is a mistake in the call or the
/// configuration; what goes wrong later says so with [`CommandError::Internal`].
impl<E: Into<anyhow::Error>> From<E> for CommandError {
    fn from(error: E) -> Self {
        match error.into().downcast() {
            Ok(interlock) => Self::Refused(interlock),
            Err(error) => Self::Usage(error),
        }
    }
}

/// The whole program: reads the arguments, does what the verb says, gives the exit code.
pub fn main(catalog: &Catalog) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(companion) = companion(catalog, &arguments) {
        return companion;
    }
    match parse(catalog, arguments).verb.run(catalog) {
        Ok(code) => ExitCode::from(code),
        Err(CommandError::Usage(error)) => failed(&error, exit::USAGE),
        Err(CommandError::Refused(interlock)) => failed(&interlock.into(), exit::REFUSED),
        Err(CommandError::Internal(error)) => failed(&error, exit::INTERNAL_ERROR),
    }
}

fn failed(error: &anyhow::Error, code: u8) -> ExitCode {
    anstream::eprintln!("error: {error:#}");
    ExitCode::from(code)
}

impl Verb {
    fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        match self {
            Self::Validate(validate) => validate.run(catalog),
            Self::Smoke(smoke) => smoke.run(catalog),
            Self::Init(init) => init.run(),
            Self::Doctor(doctor) => doctor.run(catalog),
            Self::Calibrate(calibrate) => calibrate.run(catalog),
            Self::List(list) => list.run(catalog),
            Self::Judge(judge) => judge.run(),
            Self::Stack(stack) => stack.run(catalog),
            Self::Sweep(sweep) => sweep.run(catalog),
            Self::Schema(schema) => schema.run(),
        }
    }
}

/// Runs the companion that the first argument names, if it names one.
fn companion(catalog: &Catalog, arguments: &[OsString]) -> Option<ExitCode> {
    let verb = arguments.get(1)?;
    let companion = catalog
        .companions
        .iter()
        .find(|companion| verb == companion.name)?;
    Some((companion.run)(arguments[1..].to_vec()))
}

fn parse(catalog: &Catalog, arguments: Vec<OsString>) -> Cutover {
    let companions = catalog
        .companions
        .iter()
        .map(|companion| format!("  {:<10} {}", companion.name, companion.about))
        .collect::<Vec<_>>()
        .join("\n");
    let help = format!("What it also carries:\n{companions}\n\n{}", exit::TABLE);
    let matches = Cutover::command()
        .after_help(help)
        .get_matches_from(arguments);
    Cutover::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}
