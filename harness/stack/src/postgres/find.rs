//! Finds the installation of PostgreSQL: in a variable, on the `PATH`, or where packages install it.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable with the directory of PostgreSQL's programs.
const VARIABLE: &str = "CUTOVER_POSTGRES_BIN";

/// Where packages install PostgreSQL: a directory, and the prefix of its subdirectories.
const PACKAGES: [(&str, &str); 7] = [
    ("/usr/lib/postgresql", ""),
    ("/usr/local/pgsql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql"),
    ("/usr/local/opt", "postgresql"),
    ("/Applications/Postgres.app/Contents/Versions", ""),
    ("/usr/libexec", "postgresql"),
];

/// PostgreSQL could not be found or run.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// It is not installed in a known place.
    #[error(
        "find PostgreSQL's programs 'initdb' and 'postgres': install it (Debian, Ubuntu: \
         'apt-get install postgresql'; Fedora: 'dnf install postgresql-server'; macOS: \
         'brew install postgresql@17'), or set {VARIABLE} to the directory that contains them, \
         or build with '--features cutover-harness/embedded-postgres' to download it"
    )]
    NotInstalled,
    /// It is not in the directory of the variable.
    #[error("find PostgreSQL's programs 'initdb' and 'postgres' in {VARIABLE}='{}'", bin.display())]
    NotThere {
        /// The directory.
        bin: PathBuf,
    },
    /// It could not be downloaded.
    #[cfg(feature = "embedded-postgres")]
    #[error(transparent)]
    Download(#[from] super::download::DownloadError),
    /// It could not be run.
    #[error("run '{} --version'", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// An installation of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The directory of its programs.
    pub bin: PathBuf,
    /// The output of `postgres --version`.
    pub version: String,
}

impl Installation {
    /// Finds the installation to use.
    pub fn find() -> Result<Self, FindError> {
        let bin = match std::env::var_os(VARIABLE) {
            Some(named) if has_programs(Path::new(&named)) => PathBuf::from(named),
            Some(named) => return Err(FindError::NotThere { bin: named.into() }),
            None => match installed() {
                Some(bin) => bin,
                None => downloaded()?,
            },
        };
        let program = bin.join("postgres");
        match Command::new(&program).arg("--version").output() {
            Ok(output) => Ok(Self {
                bin,
                version: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            }),
            Err(source) => Err(FindError::Run { program, source }),
        }
    }

    /// One of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}

fn installed() -> Option<PathBuf> {
    let packaged = || {
        PACKAGES
            .iter()
            .find_map(|(root, prefix)| newest(Path::new(root), prefix))
    };
    on_path(std::env::var_os("PATH").as_deref()).or_else(packaged)
}

#[cfg(feature = "embedded-postgres")]
fn downloaded() -> Result<PathBuf, FindError> {
    Ok(super::download::programs()?)
}

#[cfg(not(feature = "embedded-postgres"))]
fn downloaded() -> Result<PathBuf, FindError> {
    Err(FindError::NotInstalled)
}

fn has_programs(bin: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|program| bin.join(program).is_file())
}

/// The first directory of the `PATH` with both programs, after following links to the real installation.
fn on_path(path: Option<&OsStr>) -> Option<PathBuf> {
    std::env::split_paths(path?)
        .filter_map(|directory| directory.join("initdb").canonicalize().ok())
        .filter_map(|program| program.parent().map(Path::to_owned))
        .find(|bin| has_programs(bin))
}

/// The `bin` of the newest version below a directory.
fn newest(root: &Path, prefix: &str) -> Option<PathBuf> {
    root.read_dir()
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let version = version_in(name.strip_prefix(prefix)?);
            let bin = entry.path().join("bin");
            has_programs(&bin).then_some((version, bin))
        })
        .max()
        .map(|(_, bin)| bin)
}

/// The numbers in a directory's name, so that 10 is newer than 9.6.
fn version_in(name: &str) -> Vec<u32> {
    name.split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn install(bin: &Path) {
        fs::create_dir_all(bin).expect("a directory");
        for program in ["initdb", "postgres"] {
            fs::write(bin.join(program), "").expect("a program");
        }
    }

    #[test]
    fn the_newest_version_is_chosen_by_number() {
        let root = tempfile::tempdir().expect("a directory");
        for version in ["9.6", "15", "9"] {
            install(&root.path().join(version).join("bin"));
        }
        fs::create_dir_all(root.path().join("16/bin")).expect("a directory without programs");
        let newest = newest(root.path(), "").expect("an installation");
        assert_eq!(newest, root.path().join("15/bin"));
    }

    #[test]
    fn a_link_on_the_path_is_followed_to_the_installation() {
        let root = tempfile::tempdir().expect("a directory");
        let root = root.path().canonicalize().expect("a path");
        let (real, links) = (root.join("15/bin"), root.join("links"));
        install(&real);
        fs::create_dir_all(&links).expect("a directory");
        symlink(real.join("initdb"), links.join("initdb")).expect("a link");
        let path = std::env::join_paths([root.join("nowhere"), links]).expect("a path");
        assert_eq!(on_path(Some(&path)), Some(real));
        assert_eq!(on_path(None), None);
    }
}
