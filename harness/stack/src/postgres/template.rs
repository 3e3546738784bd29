//! A cluster is initialised once per machine and copied for every stack: a second becomes a twentieth.

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
use crate::process::Account;
use cutover_evidence::secret::Secret;

/// How a cluster is made; a change makes another template.
///
/// The password travels in clear, and over loopback only, where nobody but root
/// can listen: its check then costs the server three milliseconds, while every
/// connection of an unoptimised client would spend a tenth of a second on SCRAM.
const OPTIONS: [&str; 7] = [
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--auth=password",
    "--wal-segsize=1",
    "--no-sync",
    "--no-instructions",
];

/// A cluster that could not be made or copied.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// `initdb` failed.
    #[error("initialise a PostgreSQL cluster with '{}':\n{said}", program.display())]
    Initialise {
        /// The program.
        program: PathBuf,
        /// The end of what it said.
        said: String,
    },
    /// A file could not be made, read or copied.
    #[error("keep a PostgreSQL cluster in '{}'", path.display())]
    Keep {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn keep(path: &Path) -> impl FnOnce(io::Error) -> TemplateError {
    let path = path.to_owned();
    |source| TemplateError::Keep { path, source }
}

/// A cluster that is copied and never started.
#[derive(Debug)]
pub(crate) struct Template<'a> {
    installation: &'a Installation,
    account: Option<Account>,
    place: PathBuf,
}

impl<'a> Template<'a> {
    /// The template of an installation in this user's cache, whether it exists or not.
    pub(crate) fn new(
        installation: &'a Installation,
        account: Option<Account>,
    ) -> Result<Self, TemplateError> {
        let cache =
            cache::private().map_err(|(path, source)| TemplateError::Keep { path, source })?;
        Ok(Self {
            place: cache.join(key(installation)),
            installation,
            account,
        })
    }

    /// Copies the cluster, which is made first where it is missing, and gives the superuser's password.
    ///
    /// All copies have the template's password: it is as secret as the card of a
    /// stack, which the same user can read, and a change would cost a connection.
    pub(crate) fn copy_to(&self, destination: &Path) -> Result<Secret, TemplateError> {
        let lock = self.lock()?;
        lock.lock_shared().map_err(keep(&self.place))?;
        if !self.is_usable() {
            lock.unlock().map_err(keep(&self.place))?;
            lock.lock().map_err(keep(&self.place))?;
            // Another may have made it while we waited.
            if !self.is_usable() {
                self.make()?;
            }
        }
        copy(&self.cluster(), destination, self.account).map_err(keep(destination))?;
        let password = fs::read_to_string(self.password()).map_err(keep(&self.password()))?;
        Ok(Secret::new(password.trim()))
    }

    /// Forgets the cluster: the next copy makes it anew.
    pub(crate) fn discard(&self) -> Result<(), TemplateError> {
        let lock = self.lock()?;
        lock.lock().map_err(keep(&self.place))?;
        self.remove()
    }

    fn remove(&self) -> Result<(), TemplateError> {
        match fs::remove_dir_all(&self.place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(keep(&self.place)(error)),
            _ => Ok(()),
        }
    }

    /// The lock that copying shares, and making and discarding do not; released when the file is closed.
    fn lock(&self) -> Result<File, TemplateError> {
        let path = self.place.with_extension("lock");
        let mut options = OpenOptions::new();
        let opened = options.create(true).append(true).open(&path);
        opened.map_err(keep(&path))
    }

    fn cluster(&self) -> PathBuf {
        self.place.join("cluster")
    }

    fn password(&self) -> PathBuf {
        self.place.join("password")
    }

    fn is_usable(&self) -> bool {
        let cluster = self.cluster();
        self.password().is_file()
            && ["PG_VERSION", "global/pg_control", "pg_hba.conf"]
                .iter()
                .all(|file| cluster.join(file).is_file())
    }

    /// Makes the cluster where its account may write, and moves it here whole.
    fn make(&self) -> Result<(), TemplateError> {
        self.remove()?;
        let parent = self.place.parent().unwrap_or(Path::new("."));
        let partial = tempfile::tempdir_in(parent).map_err(keep(parent))?;
        let workshop = tempfile::tempdir().map_err(keep(&std::env::temp_dir()))?;
        let password = workshop.path().join("password");
        self.initialise(workshop.path(), &password)?;
        let made = || {
            copy(
                &workshop.path().join("cluster"),
                &partial.path().join("cluster"),
                None,
            )?;
            fs::copy(&password, partial.path().join("password"))?;
            fs::rename(partial.keep(), &self.place)
        };
        made().map_err(keep(&self.place))
    }

    fn initialise(&self, workshop: &Path, password: &Path) -> Result<(), TemplateError> {
        let cluster = workshop.join("cluster");
        let prepare = || {
            fs::set_permissions(workshop, Permissions::from_mode(0o711))?;
            DirBuilder::new().mode(0o700).create(&cluster)?;
            fs::write(password, Secret::random().expose())?;
            fs::set_permissions(password, Permissions::from_mode(0o600))?;
            give(&cluster, self.account)?;
            give(password, self.account)
        };
        prepare().map_err(keep(workshop))?;
        let program = self.installation.program("initdb");
        let mut command = Command::new(&program);
        command
            .args(arguments(&cluster, password))
            .current_dir(workshop);
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        let said = match command.output() {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => log::last_lines(&String::from_utf8_lossy(&output.stderr), 15),
            Err(error) => error.to_string(),
        };
        Err(TemplateError::Initialise { program, said })
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

/// Copies a directory, private to its owner.
fn copy(from: &Path, to: &Path, account: Option<Account>) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    give(to, account)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, account)?;
        } else {
            fs::copy(entry.path(), &target)?;
            give(&target, account)?;
        }
    }
    Ok(())
}

fn give(path: &Path, account: Option<Account>) -> io::Result<()> {
    account.map_or(Ok(()), |account| {
        chown(path, Some(account.uid), Some(account.gid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_has_another_template() {
        let installation = |version: &str| Installation {
            bin: "/bin".into(),
            version: version.to_owned(),
        };
        assert_eq!(key(&installation("15.1")), key(&installation("15.1")));
        assert_ne!(key(&installation("15.1")), key(&installation("15.2")));
    }

    #[test]
    fn a_copy_has_everything_and_is_private() {
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
    fn a_damaged_template_is_made_anew() {
        let installation = Installation::find().expect("PostgreSQL");
        let root = tempfile::tempdir().expect("a directory");
        let template = Template {
            installation: &installation,
            account: crate::postgres::account::for_postgres().expect("an account"),
            place: root.path().join("template"),
        };
        let first = template
            .copy_to(&root.path().join("first"))
            .expect("a copy");
        let again = template
            .copy_to(&root.path().join("again"))
            .expect("a copy");
        assert_eq!(first, again);
        fs::remove_file(template.cluster().join("global/pg_control")).expect("damage");
        let anew = template.copy_to(&root.path().join("anew")).expect("a copy");
        assert_ne!(first, anew);
        assert!(root.path().join("anew/global/pg_control").is_file());
    }
}
