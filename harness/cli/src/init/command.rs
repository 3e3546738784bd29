//! The subcommand: from flags, or from answers at a terminal, to a target file.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use cutover_reports::exit;
use url::Url;

use super::answers::{Answers, IdentityMethod, PROJECT, STANDIN, default_class};
use super::questions::{Prompt, default_name, parse_origin};
use super::target_text::target_text;
use crate::output::print_line;
use crate::{CommandError, UsageError};
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
}

impl Init {
    pub(crate) fn run(self) -> Result<u8, CommandError> {
        // Checked before the questions, so that no answers are lost; `write` checks again.
        if self.output.exists() && !self.force {
            return Err(self.file_exists().into());
        }
        let path = self.output.display();
        let text = target_text(&self.answers()?);
        // A name may contain anything, so the text is parsed before it is written.
        Target::parse(&text, &path.to_string())?;
        self.write(&text)?;
        print_line(format!(
            "wrote {path}\nnext: set the variables it names, then `cutover doctor --target {path}`"
        ))?;
        Ok(exit::GO)
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
