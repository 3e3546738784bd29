//! A service that runs as a child of this process.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::Signal;
use tokio::process::Command;
use tokio::sync::watch;

use super::service::ServiceError;
use crate::launch::{LaunchSpec, ProcessSignal, Started};
use crate::process_discovery::STACK_VARIABLE;
use crate::process_identity::ProcessIdentity;
use crate::stack_dir::{StackDir, StackDirError};
use crate::state::{KillSignal, ProcessEntry};

/// The Unix user that a process runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UserAccount {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// A program that runs as a child of this process.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) program: PathBuf,
    /// The file that the program reads as its standard input.
    pub(crate) input: Option<PathBuf>,
    /// The user it runs as; the current user by default.
    pub(crate) account: Option<UserAccount>,
    pub(crate) kill_signal: KillSignal,
}

impl Child {
    /// A program with defaults for everything else.
    pub(crate) fn new(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            input: None,
            account: None,
            kill_signal: KillSignal::Kill,
        }
    }

    pub(super) fn start(
        &self,
        spec: &LaunchSpec,
        stack_dir: &StackDir,
        log: &Path,
    ) -> Result<Started, ServiceError> {
        let mut child = self
            .command(spec, stack_dir, log)
            .and_then(|mut command| command.spawn())
            .map_err(|source| ServiceError::Spawn {
                service: spec.name.clone(),
                program: self.program.clone(),
                source,
            })?;
        let identity = ProcessIdentity::from_pid(child.id().unwrap_or_default());
        let (exited, exit) = watch::channel(None);
        tokio::spawn(async move {
            let status = child.wait().await.unwrap_or_default();
            exited.send_replace(Some(status));
        });
        let entry = ProcessEntry {
            name: spec.name.clone(),
            identity,
            kill_signal: self.kill_signal,
        };
        let registered = stack_dir.state().register(entry);
        registered.map_err(StackDirError::from)?;
        Ok(Started { identity, exit })
    }

    pub(super) fn signal(
        &self,
        spec: &LaunchSpec,
        identity: ProcessIdentity,
        signal: ProcessSignal,
    ) -> Result<(), ServiceError> {
        let signal = match signal {
            ProcessSignal::Terminate => spec.stop_signal,
            ProcessSignal::Kill => self.kill_signal.signal(),
            ProcessSignal::Pause => Signal::STOP,
            ProcessSignal::Resume => Signal::CONT,
        };
        identity
            .signal(signal)
            .map_err(|source| ServiceError::Signal {
                service: spec.name.clone(),
                source,
            })
    }

    fn command(&self, spec: &LaunchSpec, stack_dir: &StackDir, log: &Path) -> io::Result<Command> {
        let log = OpenOptions::new().append(true).open(log)?;
        let mut command = isolated_command(&self.program, stack_dir);
        command
            .args(&spec.args)
            .envs(&spec.environment)
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

/// A command that inherits only the variables that every program needs.
///
/// It gets its own process group: Ctrl-C in the terminal must not end it before an orderly stop.
pub(super) fn isolated_command(program: &Path, stack_dir: &StackDir) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(
            INHERITED
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
        .env(STACK_VARIABLE, stack_dir.name())
        .current_dir(stack_dir.directory())
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
