//! The verb: from flags, or from answers where somebody can be asked and gave none, to a file.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use cutover_reports::exit;
use url::Url;

use super::answers::{Answers, PROJECT, STANDIN, Way, class_of};
use super::file::written;
use super::questions::{Person, name_of, origin};
use crate::CommandError;
use cutover_harness::target_file::{Class, Target};

/// Write a commented target file for a pipeline that somebody runs
///
/// Without a flag that describes the pipeline, a person at a terminal is asked.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Init {
    /// The origin of its API; asked for where it is not given
    #[arg(long, value_name = "URL", value_parser = origin)]
    api: Option<Url>,
    /// The name by which reports speak of it; the host where it is not given
    #[arg(long)]
    name: Option<String>,
    /// How much would be hurt by a mistake; local on this machine, else production
    #[arg(long, value_enum)]
    class: Option<Class>,
    /// How tenants come by their tokens; by ones that are given to us
    #[arg(long, value_enum, value_name = "WAY")]
    identity: Option<Way>,
    /// The database may be read
    #[arg(long)]
    database: bool,
    /// The objects may be read
    #[arg(long)]
    storage: bool,
    /// cutover's stand-ins are in the place of its providers
    #[arg(long)]
    standins: bool,
    /// Its Supabase project; the stand-in with --standins
    #[arg(long, value_name = "URL", value_parser = origin)]
    supabase: Option<Url>,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "cutover.toml")]
    output: PathBuf,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
}

impl Init {
    pub(crate) fn run(self) -> Result<u8, CommandError> {
        let path = self.output.display();
        // Before anybody answers questions in vain; the file is made only where it still does not exist.
        if self.output.exists() && !self.force {
            return Err(self.exists().into());
        }
        let text = written(&self.answers()?);
        // What is written must be readable: a name may hold anything.
        Target::parse(&text, &path.to_string())?;
        let mut options = OpenOptions::new();
        options.write(true).truncate(true);
        let file = if self.force {
            options.create(true).open(&self.output)
        } else {
            options.create_new(true).open(&self.output)
        };
        let mut file = match file {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(self.exists().into());
            }
            file => {
                file.with_context(|| format!("write '{path}'; name another file with --output"))?
            }
        };
        file.write_all(text.as_bytes())?;
        writeln!(
            anstream::stdout(),
            "wrote {path}\nnext: set the variables it names, then `cutover doctor --target {path}`"
        )?;
        Ok(exit::GO)
    }

    fn exists(&self) -> anyhow::Error {
        anyhow::anyhow!(
            "write '{}': it exists; overwrite it with --force, or name another file with --output",
            self.output.display()
        )
    }

    /// What the flags say; a person is asked for everything where they say nothing.
    fn answers(&self) -> anyhow::Result<Answers> {
        let can_ask = io::stdin().is_terminal();
        let mut person = Person {
            answers: io::stdin().lock(),
            questions: anstream::stdout(),
        };
        let api = match &self.api {
            Some(api) => api.clone(),
            None if can_ask && self.says_nothing() => return person.tell(),
            None if can_ask => person.api()?,
            None => anyhow::bail!("say where the API is: --api https://api.example.org"),
        };
        let supabase = if self.standins { STANDIN } else { PROJECT };
        let supabase = self.supabase.clone().map_or_else(|| supabase.parse(), Ok)?;
        Ok(Answers {
            name: self.name.clone().unwrap_or_else(|| name_of(&api)),
            class: self.class.unwrap_or_else(|| class_of(&api)),
            identity: self.identity.unwrap_or(Way::Tokens),
            database: self.database,
            storage: self.storage,
            standins: self.standins,
            supabase,
            api,
        })
    }

    fn says_nothing(&self) -> bool {
        self.name.is_none()
            && self.class.is_none()
            && self.identity.is_none()
            && self.supabase.is_none()
            && !(self.database || self.storage || self.standins)
    }
}
