//! The processes of an attached target, whose resources are sampled while a load runs.

use std::fs;
use std::path::PathBuf;

use cutover_stack::ProcessIdentity;
use schemars::JsonSchema;
use serde::Deserialize;

/// The processes of an attached target.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceSettings {
    /// The processes, or containers, whose resources are sampled while a load runs.
    pub sources: Vec<ResourceSource>,
}

/// A process or a container: exactly one of `pid_file` and `docker`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceSource {
    /// The service, such as `api` or `worker`.
    pub service: String,
    /// A file with the PID of a process of this machine. The processes that it has started count, too.
    pub pid_file: Option<PathBuf>,
    /// A Docker container.
    pub docker: Option<String>,
}

/// A PID file that names no running process.
#[derive(Debug, thiserror::Error)]
pub enum PidFileError {
    /// It cannot be read.
    #[error("read the PID file '{}'", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// It has no PID.
    #[error("find a PID in the first line of '{}'", path.display())]
    NoPid {
        /// The file.
        path: PathBuf,
    },
    /// The process does not run here.
    #[error("find the process {pid} of '{}' on this machine", path.display())]
    NotRunning {
        /// The file.
        path: PathBuf,
        /// The PID.
        pid: u32,
    },
}

impl ResourceSettings {
    /// What is wrong with it, if anything is.
    pub(crate) fn problem(&self) -> Option<String> {
        let problem = |(index, source): (usize, &ResourceSource)| {
            let problem = source.problem()?;
            Some(format!("has a source [{index}] that {problem}"))
        };
        self.sources.iter().enumerate().find_map(problem)
    }
}

impl ResourceSource {
    fn problem(&self) -> Option<&'static str> {
        if self.pid_file.is_some() == self.docker.is_some() {
            return Some("must have exactly one of pid_file and docker");
        }
        let is_empty = self.service.trim().is_empty();
        is_empty.then_some("must have a service, such as service = \"api\"")
    }

    /// The process that its PID file names; nothing if it has none.
    ///
    /// # Errors
    /// If the file names no running process.
    pub fn process(&self) -> Result<Option<ProcessIdentity>, PidFileError> {
        let Some(path) = self.pid_file.clone() else {
            return Ok(None);
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(PidFileError::Unreadable { path, source }),
        };
        // PostgreSQL's `postmaster.pid` has more lines.
        let first = text.lines().next().map(str::trim);
        let Some(pid) = first.and_then(|line| line.parse().ok()) else {
            return Err(PidFileError::NoPid { path });
        };
        let process = ProcessIdentity::from_pid(pid);
        if !process.is_alive() {
            return Err(PidFileError::NotRunning { path, pid });
        }
        Ok(Some(process))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target_file::Target;

    const ATTACHED: &str = "schema = 1\nname = 'x'\nclass = 'local'\n[api]\nurl = 'http://127.0.0.1:1'\n\
        [identity.mint]\nsecret = { env = 'S' }\nissuer = 'i'\n";

    fn target(sources: &str) -> Result<Target, String> {
        let text = format!("{ATTACHED}[resources]\nsources = [{sources}]\n");
        Target::parse(&text, "x.toml").map_err(|error| error.to_string())
    }

    #[test]
    fn a_source_has_a_service_and_exactly_one_origin() {
        for (source, part) in [
            ("{ service = 'api' }", "exactly one of pid_file and docker"),
            (
                "{ service = 'api', pid_file = 'a', docker = 'b' }",
                "exactly one of",
            ),
            ("{ pid_file = 'a' }", "must have a service"),
        ] {
            let error = target(source).unwrap_err();
            let key = "key 'resources.sources' has a source [0]";
            assert!(error.contains(key) && error.contains(part), "{error}");
        }
        assert!(target("{ service = 'api', docker = 'app-1' }").is_ok());
    }

    #[test]
    fn a_pid_file_names_a_running_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("api.pid");
        let source = ResourceSource {
            service: "api".to_owned(),
            pid_file: Some(path.clone()),
            docker: None,
        };
        let error = || source.process().unwrap_err();
        assert!(matches!(error(), PidFileError::Unreadable { .. }));
        fs::write(&path, "none").unwrap();
        assert!(matches!(error(), PidFileError::NoPid { .. }));
        fs::write(&path, "4194305").unwrap();
        assert!(matches!(error(), PidFileError::NotRunning { .. }));
        fs::write(&path, format!("{}\n/var/lib/data\n", std::process::id())).unwrap();
        assert_eq!(source.process().unwrap(), Some(ProcessIdentity::current()));
    }
}
