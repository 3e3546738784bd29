//! A cluster that is initialised once per machine and copied for every stack: 0.05 s instead of 1 s.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::cache;
use super::find::Installation;
use crate::log;
use crate::services::UserAccount;
use cutover_evidence::secret::Secret;

/// The options of `initdb`; a change results in a new template.
///
/// Password auth: the password is sent in clear, but over loopback only, where only root
/// can capture it. SCRAM takes an unoptimised client 0.1 s for every connection.
const OPTIONS: [&str; 7] = [
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--auth=password",
    "--wal-segsize=1",
    "--no-sync",
    "--no-instructions",
];

/// A cluster that could not be created or copied.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// `initdb` failed.
    #[error("initialise a PostgreSQL cluster with '{}':\n{detail}", program.display())]
    Initialise {
        /// The program.
        program: PathBuf,
        /// The end of its output.
        detail: String,
    },
    /// A file could not be created, read or copied.
    #[error("store a PostgreSQL cluster in '{}'", path.display())]
    Store {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

fn store(path: &Path) -> impl FnOnce(io::Error) -> TemplateError {
    let path = path.to_owned();
    |source| TemplateError::Store { path, source }
}

/// A cluster that is only copied, never started.
#[derive(Debug)]
pub(crate) struct Template<'a> {
    installation: &'a Installation,
    account: Option<UserAccount>,
    directory: PathBuf,
}

impl<'a> Template<'a> {
    /// The template of an installation in this user's cache; it may not exist yet.
    pub(crate) fn new(
        installation: &'a Installation,
        account: Option<UserAccount>,
    ) -> Result<Self, TemplateError> {
        let cache =
            cache::private().map_err(|(path, source)| TemplateError::Store { path, source })?;
        Ok(Self {
            directory: cache.join(key(installation)),
            installation,
            account,
        })
    }

    /// Copies the cluster and returns the superuser's password; creates the cluster first if it is missing.
    ///
    /// All copies share the template's password. It is as well protected as the `stack.json` of
    /// each stack, and a new password for each would take a connection.
    pub(crate) fn copy_to(&self, destination: &Path) -> Result<Secret, TemplateError> {
        let lock = self.lock()?;
        lock.lock_shared().map_err(store(&self.directory))?;
        if !self.is_usable() {
            lock.unlock().map_err(store(&self.directory))?;
            lock.lock().map_err(store(&self.directory))?;
            // Another process may have created it meanwhile.
            if !self.is_usable() {
                self.create()?;
            }
        }
        copy(&self.cluster(), destination, self.account).map_err(store(destination))?;
        let password = fs::read_to_string(self.password()).map_err(store(&self.password()))?;
        Ok(Secret::new(password.trim()))
    }

    /// Removes the cluster; the next copy creates it again.
    pub(crate) fn discard(&self) -> Result<(), TemplateError> {
        let lock = self.lock()?;
        lock.lock().map_err(store(&self.directory))?;
        self.remove()
    }

    fn remove(&self) -> Result<(), TemplateError> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(store(&self.directory)(error))
            }
            _ => Ok(()),
        }
    }

    /// The lock file: held shared to copy, exclusively to create or discard; released when it is closed.
    fn lock(&self) -> Result<File, TemplateError> {
        let path = self.directory.with_extension("lock");
        let mut options = OpenOptions::new();
        let opened = options.create(true).append(true).open(&path);
        opened.map_err(store(&path))
    }

    fn cluster(&self) -> PathBuf {
        self.directory.join("cluster")
    }

    fn password(&self) -> PathBuf {
        self.directory.join("password")
    }

    fn is_usable(&self) -> bool {
        let cluster = self.cluster();
        self.password().is_file()
            && ["PG_VERSION", "global/pg_control", "pg_hba.conf"]
                .iter()
                .all(|file| cluster.join(file).is_file())
    }

    /// Creates the cluster in a directory that its user can write, then moves it here atomically.
    fn create(&self) -> Result<(), TemplateError> {
        self.remove()?;
        let parent = self.directory.parent().unwrap_or(Path::new("."));
        let partial = tempfile::tempdir_in(parent).map_err(store(parent))?;
        let scratch = tempfile::tempdir().map_err(store(&std::env::temp_dir()))?;
        let password = scratch.path().join("password");
        self.initialise(scratch.path(), &password)?;
        let moved = || {
            copy(
                &scratch.path().join("cluster"),
                &partial.path().join("cluster"),
                None,
            )?;
            fs::copy(&password, partial.path().join("password"))?;
            fs::rename(partial.keep(), &self.directory)
        };
        moved().map_err(store(&self.directory))
    }

    fn initialise(&self, scratch: &Path, password: &Path) -> Result<(), TemplateError> {
        let cluster = scratch.join("cluster");
        let prepare = || {
            fs::set_permissions(scratch, Permissions::from_mode(0o711))?;
            DirBuilder::new().mode(0o700).create(&cluster)?;
            fs::write(password, Secret::random().expose())?;
            fs::set_permissions(password, Permissions::from_mode(0o600))?;
            chown_to(&cluster, self.account)?;
            chown_to(password, self.account)
        };
        prepare().map_err(store(scratch))?;
        let program = self.installation.program("initdb");
        let mut command = Command::new(&program);
        command
            .args(arguments(&cluster, password))
            .current_dir(scratch);
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        let detail = match command.output() {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => log::last_lines(&String::from_utf8_lossy(&output.stderr), 15),
            Err(error) => error.to_string(),
        };
        Err(TemplateError::Initialise { program, detail })
    }
}

fn arguments(cluster: &Path, password: &Path) -> Vec<OsString> {
    let named = |name: &str, value: &Path| {
        let mut argument = OsString::from(name);
        argument.push(value);
        argument
    };
    OPTIONS
        .iter()
        .map(OsString::from)
        .chain([named("--pgdata=", cluster), named("--pwfile=", password)])
        .collect()
}

fn key(installation: &Installation) -> String {
    let mut hash = Sha256::new();
    for part in OPTIONS.iter().copied().chain([
        installation.version.as_str(),
        &installation.bin.to_string_lossy(),
    ]) {
        hash.update(part);
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..8])
}

/// Copies a directory; only its owner can access the copy.
fn copy(from: &Path, to: &Path, account: Option<UserAccount>) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    chown_to(to, account)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, account)?;
        } else {
            fs::copy(entry.path(), &target)?;
            chown_to(&target, account)?;
        }
    }
    Ok(())
}

fn chown_to(path: &Path, account: Option<UserAccount>) -> io::Result<()> {
    account.map_or(Ok(()), |account| {
        chown(path, Some(account.uid), Some(account.gid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_own_template() {
        let installation = |version: &str| Installation {
            bin: "/bin".into(),
            version: version.to_owned(),
        };
        assert_eq!(key(&installation("15.1")), key(&installation("15.1")));
        assert_ne!(key(&installation("15.1")), key(&installation("15.2")));
    }

    #[test]
    fn a_copy_is_complete_and_private() {
        let root = tempfile::tempdir().expect("a directory");
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fs::create_dir_all(from.join("base/1")).expect("directories");
        fs::write(from.join("base/1/1255"), "rows").expect("a file");
        copy(&from, &to, None).expect("a copy");
        let copied = fs::read_to_string(to.join("base/1/1255")).expect("the file");
        assert_eq!(copied, "rows");
        let mode = to.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_damaged_template_is_created_again() {
        let installation = Installation::find().expect("PostgreSQL");
        let root = tempfile::tempdir().expect("a directory");
        let template = Template {
            installation: &installation,
            account: crate::postgres::user_account::for_postgres().expect("an account"),
            directory: root.path().join("template"),
        };
        let first = template
            .copy_to(&root.path().join("first"))
            .expect("a copy");
        let again = template
            .copy_to(&root.path().join("again"))
            .expect("a copy");
        assert_eq!(first, again);
        fs::remove_file(template.cluster().join("global/pg_control")).expect("damage");
        let recreated = template
            .copy_to(&root.path().join("recreated"))
            .expect("a copy");
        assert_ne!(first, recreated);
        assert!(root.path().join("recreated/global/pg_control").is_file());
    }
}
