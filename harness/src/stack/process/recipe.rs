//! How a process is started, as data, so that it can be started again.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::Signal;
use tokio::process::Command;

use crate::stack::ledger::Ending;
use crate::stack::readiness::Readiness;
use crate::stack::site::Site;

/// The user that a process runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Everything needed to start a process, and to start it again.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) input: Option<PathBuf>,
    pub(crate) account: Option<Account>,
    pub(crate) readiness: Readiness,
    pub(crate) graceful: Signal,
    pub(crate) ending: Ending,
}

/// A command that takes nothing from us but what a program needs to run at all.
///
/// A process group of its own keeps Ctrl-C in the terminal from ending it before we do, in order.
pub(super) fn bare_command(program: &Path, site: &Site) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(
            INHERITED
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        )
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
