//! The subcommand: from flags, or from answers at a terminal, to a target file.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use cutover_reports::exit;
use url::Url;

use super::answers::{Answers, IdentityMethod, PROJECT, STANDIN, default_class};
use super::contract_options::ContractOptions;
use super::existing::without_contract;
use super::questions::{Prompt, default_name, parse_origin};
use super::target_text::target_text;
use crate::output::print_line;
use crate::{CommandError, UsageError};
use cutover_harness::catalog::Catalog;
use cutover_harness::target_file::{Class, Target};

/// Write a commented target file for a deployed pipeline
///
/// Without flags that describe the pipeline, asks questions if standard input is a terminal.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Init {
    /// Origin of the API, such as `https://api.example.org`
    #[arg(long, value_name = "URL", value_parser = parse_origin)]
    api: Option<Url>,
    /// Name of the target in reports [default: the host of the API]
    #[arg(long)]
    name: Option<String>,
    /// Environment class [default: local on this machine, otherwise production]
    #[arg(long, value_enum)]
    class: Option<Class>,
    /// Authentication method of the test tenants [default: tokens]
    #[arg(long, value_enum, value_name = "METHOD")]
    identity: Option<IdentityMethod>,
    /// Allow cutover to read the database
    #[arg(long)]
    database: bool,
    /// Allow cutover to read the stored objects
    #[arg(long)]
    storage: bool,
    /// Replace the pipeline's providers with cutover's stand-ins
    #[arg(long)]
    standins: bool,
    /// Supabase project [default: a placeholder, or the stand-in with --standins]
    #[arg(long, value_name = "URL", value_parser = parse_origin)]
    supabase: Option<Url>,
    /// File to write
    #[arg(long, value_name = "FILE", default_value = "cutover.toml")]
    output: PathBuf,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
    /// Take everything but the contract from this target file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["api", "name", "class", "identity", "supabase"])]
    from: Option<PathBuf>,
    #[command(flatten)]
    contract: ContractOptions,
}

impl Init {
    pub(crate) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        // Checked before the questions, so that no answers are lost; `write` checks again.
        if self.output.exists() && !self.force {
            return Err(self.file_exists().into());
        }
        let path = self.output.display();
        let mut text = self.described()?;
        // A name may contain anything, so the text is parsed before it is written.
        let target = Target::parse(&text, &path.to_string())?;
        if self.contract.are_given() {
            let default = catalog.contract.text;
            text = without_contract(&text);
            let has_identification = text.contains("\n[identification");
            text += &self
                .contract
                .contract_text(&target, has_identification, default)?;
            Target::parse(&text, &path.to_string())?.contract(default)?;
        }
        self.write(&text)?;
        print_line(format!(
            "wrote {path}\nnext: set the variables it names, then `cutover doctor --target {path}`"
        ))?;
        Ok(exit::GO)
    }

    /// The text of the target file that the flags, the answers or a given file describe.
    fn described(&self) -> Result<String, CommandError> {
        let Some(file) = &self.from else {
            return Ok(target_text(&self.answers()?));
        };
        let text = fs::read_to_string(file);
        let unreadable = |error| {
            UsageError::new(
                format!("read '{}'", file.display()),
                error,
                "name an existing target file with --from",
            )
        };
        Ok(text.map_err(unreadable)?)
    }

    fn write(&self, text: &str) -> Result<(), UsageError> {
        let mut options = OpenOptions::new();
        options.write(true).truncate(true);
        if self.force {
            options.create(true);
        } else {
            options.create_new(true);
        }
        let written = options
            .open(&self.output)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        match written {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(self.file_exists()),
            Err(error) => Err(UsageError::new(
                format!("write '{}'", self.output.display()),
                error,
                "choose another file with --output",
            )),
        }
    }

    fn file_exists(&self) -> UsageError {
        UsageError::new(
            format!("write '{}'", self.output.display()),
            "the file exists",
            "overwrite it with --force, or choose another file with --output",
        )
    }

    /// The answers from the flags, or from a prompt if no flag describes the pipeline.
    fn answers(&self) -> anyhow::Result<Answers> {
        let is_interactive = io::stdin().is_terminal();
        let mut prompt = Prompt {
            input: io::stdin().lock(),
            output: anstream::stdout(),
        };
        let api = match &self.api {
            Some(api) => api.clone(),
            None if is_interactive && self.describes_nothing() => return prompt.ask_all(),
            None if is_interactive => prompt.ask_api()?,
            None => {
                let error = UsageError::new(
                    "write a target file",
                    "the origin of the API is missing, and standard input is not a terminal",
                    "add --api with the origin, as in --api https://api.example.org",
                );
                return Err(error.into());
            }
        };
        let supabase = if self.standins { STANDIN } else { PROJECT };
        let supabase = self.supabase.clone().map_or_else(|| supabase.parse(), Ok);
        Ok(Answers {
            name: self.name.clone().unwrap_or_else(|| default_name(&api)),
            class: self.class.unwrap_or_else(|| default_class(&api)),
            identity: self.identity.unwrap_or(IdentityMethod::Tokens),
            database: self.database,
            storage: self.storage,
            standins: self.standins,
            supabase: supabase.context("parse the default address of Supabase")?,
            api,
        })
    }

    fn describes_nothing(&self) -> bool {
        self.name.is_none()
            && self.class.is_none()
            && self.identity.is_none()
            && self.supabase.is_none()
            && !(self.database || self.storage || self.standins)
    }
}
