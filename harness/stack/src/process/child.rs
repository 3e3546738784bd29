//! A process of a stack as a child of this process.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::Signal;
use tokio::process::Command;
use tokio::sync::watch;

use super::body::{Birth, Order};
use super::live::ProcessError;
use super::recipe::Recipe;
use crate::inhabitants::STACK_VARIABLE;
use crate::ledger::{Ending, Entry};
use crate::mark::ProcessIdentity;
use crate::site::{StackDir, StackDirError};

/// The user that a process runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// A program that runs as a child of this process.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) program: PathBuf,
    pub(crate) input: Option<PathBuf>,
    pub(crate) account: Option<Account>,
    pub(crate) ending: Ending,
}

impl Child {
    /// A program that needs nothing special.
    pub(crate) fn of(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            input: None,
            account: None,
            ending: Ending::Kill,
        }
    }

    pub(super) fn begin(
        &self,
        recipe: &Recipe,
        site: &StackDir,
        log: &Path,
    ) -> Result<Birth, ProcessError> {
        let mut child = self
            .command(recipe, site, log)
            .and_then(|mut command| command.spawn())
            .map_err(|source| ProcessError::Spawn {
                process: recipe.name.clone(),
                program: self.program.clone(),
                source,
            })?;
        let mark = ProcessIdentity::of(child.id().unwrap_or_default());
        let (ended, exit) = watch::channel(None);
        tokio::spawn(async move {
            let status = child.wait().await.unwrap_or_default();
            ended.send_replace(Some(status));
        });
        let entry = Entry {
            name: recipe.name.clone(),
            mark,
            ending: self.ending,
        };
        site.ledger().enter(entry).map_err(StackDirError::from)?;
        Ok(Birth { mark, exit })
    }

    pub(super) fn order(
        &self,
        recipe: &Recipe,
        mark: ProcessIdentity,
        order: Order,
    ) -> Result<(), ProcessError> {
        let signal = match order {
            Order::Graceful => recipe.graceful,
            Order::End => self.ending.signal(),
            Order::Freeze => Signal::STOP,
            Order::Thaw => Signal::CONT,
        };
        mark.signal(signal).map_err(|source| ProcessError::Signal {
            process: recipe.name.clone(),
            source,
        })
    }

    fn command(&self, recipe: &Recipe, site: &StackDir, log: &Path) -> io::Result<Command> {
        let log = OpenOptions::new().append(true).open(log)?;
        let mut command = bare_command(&self.program, site);
        command
            .args(&recipe.args)
            .envs(&recipe.environment)
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(input) = &self.input {
            command.stdin(File::open(input)?);
        }
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        Ok(command)
    }
}

/// A command that takes nothing from us but what a program needs to run at all.
///
/// A process group of its own keeps Ctrl-C in the terminal from ending it before we do, in order.
pub(super) fn bare_command(program: &Path, site: &StackDir) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(
            INHERITED
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .env(STACK_VARIABLE, site.name())
        .current_dir(site.directory())
        .stdin(Stdio::null())
        .process_group(0);
    command
}

/// The variables that every process inherits.
const INHERITED: [&str; 8] = [
    "PATH",
    "TMPDIR",
    "TZ",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "RUST_BACKTRACE",
];
