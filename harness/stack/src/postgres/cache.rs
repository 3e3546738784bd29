//! Where a user keeps what is made once per machine.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A directory of this user that nobody else can enter; where it should be, if it cannot be had.
pub(super) fn private() -> Result<PathBuf, (PathBuf, io::Error)> {
    let homes = [("XDG_CACHE_HOME", ""), ("HOME", ".cache")];
    let preferred = homes.iter().find_map(|(variable, below)| {
        let home = std::env::var_os(variable).filter(|home| !home.is_empty())?;
        let cache = Path::new(&home).join(below).join("cutover");
        make(&cache, 0o700).is_ok().then_some(cache)
    });
    // No home, or one that cannot be written: as in many a container.
    preferred.map_or_else(|| under_temporary("cache", 0o700), Ok)
}

/// A directory of this user that others can look into but not change: where we
/// are root, PostgreSQL runs as one of them, and root's home is closed to it.
#[cfg(feature = "embedded-postgres")]
pub(super) fn readable() -> Result<PathBuf, (PathBuf, io::Error)> {
    if rustix::process::geteuid().is_root() {
        under_temporary("programs", 0o755)
    } else {
        private()
    }
}

fn under_temporary(what: &str, mode: u32) -> Result<PathBuf, (PathBuf, io::Error)> {
    let me = rustix::process::geteuid().as_raw();
    let path = std::env::temp_dir().join(format!("cutover-{what}-{me}"));
    match make(&path, mode) {
        Ok(()) => Ok(path),
        Err(error) => Err((path, error)),
    }
}

/// Makes a directory of this user; one that another user made, or that cannot be written, is refused.
fn make(path: &Path, mode: u32) -> io::Result<()> {
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
    fn a_cache_of_somebody_else_is_refused() {
        let root = tempfile::tempdir().expect("a directory");
        let link = root.path().join("cache");
        std::os::unix::fs::symlink("/tmp", &link).expect("a link");
        assert!(make(&link, 0o700).is_err());
    }

    #[test]
    fn an_open_cache_is_closed() {
        let root = tempfile::tempdir().expect("a directory");
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).expect("permissions");
        make(root.path(), 0o700).expect("a cache");
        let mode = root.path().metadata().expect("metadata").mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
