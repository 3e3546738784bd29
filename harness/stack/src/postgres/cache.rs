//! The cache directories for what is created once per machine and user.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A cache directory that only this user can access; on failure, its path and the error.
pub(super) fn private() -> Result<PathBuf, (PathBuf, io::Error)> {
    let homes = [("XDG_CACHE_HOME", ""), ("HOME", ".cache")];
    let preferred = homes.iter().find_map(|(variable, below)| {
        let home = std::env::var_os(variable).filter(|home| !home.is_empty())?;
        let cache = Path::new(&home).join(below).join("cutover");
        create(&cache, 0o700).is_ok().then_some(cache)
    });
    // In containers, the home directory is often missing or not writable.
    preferred.map_or_else(|| under_temporary("cache", 0o700), Ok)
}

/// A cache directory that other users can read but not change.
///
/// Under root, PostgreSQL runs as another user, which has no access to root's home directory.
#[cfg(feature = "embedded-postgres")]
pub(super) fn readable() -> Result<PathBuf, (PathBuf, io::Error)> {
    if rustix::process::geteuid().is_root() {
        under_temporary("programs", 0o755)
    } else {
        private()
    }
}

fn under_temporary(name: &str, mode: u32) -> Result<PathBuf, (PathBuf, io::Error)> {
    let uid = rustix::process::geteuid().as_raw();
    let path = std::env::temp_dir().join(format!("cutover-{name}-{uid}"));
    match create(&path, mode) {
        Ok(()) => Ok(path),
        Err(error) => Err((path, error)),
    }
}

/// Creates a directory of this user; rejects one that belongs to another user or is not writable.
fn create(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(path)?;
    let metadata = path.symlink_metadata()?;
    if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    tempfile::tempfile_in(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_directory_that_is_a_link_is_rejected() {
        let root = tempfile::tempdir().expect("a directory");
        let link = root.path().join("cache");
        std::os::unix::fs::symlink("/tmp", &link).expect("a link");
        assert!(create(&link, 0o700).is_err());
    }

    #[test]
    fn the_permissions_of_an_existing_cache_directory_are_restricted() {
        let root = tempfile::tempdir().expect("a directory");
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).expect("permissions");
        create(root.path(), 0o700).expect("a cache");
        let mode = root.path().metadata().expect("metadata").mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
