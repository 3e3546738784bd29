//! The logs of an attached target, read from the start of a run on.

use std::path::PathBuf;

use cutover_contract::probe::LogSource;
use schemars::JsonSchema;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The logs of an attached target.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// The sources, at least one for each service.
    pub sources: Vec<LogSourceSettings>,
}

/// A source of logs: exactly one of `file`, `docker`, `kubectl`, `journald` and `command`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogSourceSettings {
    /// The service that writes the log, such as `api` or `worker`.
    pub service: String,
    /// A file.
    pub file: Option<PathBuf>,
    /// A Docker container, read with `docker logs`.
    pub docker: Option<String>,
    /// Arguments of `kubectl logs`, such as `deploy/worker -n staging`.
    pub kubectl: Option<String>,
    /// A systemd unit, read with `journalctl`.
    pub journald: Option<String>,
    /// A command that prints the log. `{since}` in an argument is the time from which on, in RFC 3339.
    pub command: Option<Vec<String>>,
}

/// The placeholder of the time from which on a command prints.
const SINCE: &str = "{since}";

impl LogSettings {
    /// What is wrong with it, if anything is.
    pub(super) fn problem(&self) -> Option<String> {
        let problem = |(index, source): (usize, &LogSourceSettings)| {
            let problem = source.problem()?;
            Some(format!("has a source [{index}] that {problem}"))
        };
        self.sources.iter().enumerate().find_map(problem)
    }

    /// The sources, each without what was logged before this moment.
    pub fn from_now(&self) -> Vec<LogSource> {
        let now = OffsetDateTime::now_utc();
        self.sources
            .iter()
            .map(|source| source.since(now))
            .collect()
    }
}

impl LogSourceSettings {
    fn problem(&self) -> Option<String> {
        let given = [
            self.file.is_some(),
            self.docker.is_some(),
            self.kubectl.is_some(),
            self.journald.is_some(),
            self.command.is_some(),
        ];
        if given.into_iter().filter(|given| *given).count() != 1 {
            return Some(
                "must have exactly one of file, docker, kubectl, journald and command".to_owned(),
            );
        }
        if self.service.trim().is_empty() {
            return Some("must have a service, such as service = \"api\"".to_owned());
        }
        let command = self.command.as_deref()?;
        let has_time = command.iter().any(|word| word.contains(SINCE));
        (!has_time).then(|| {
            format!(
                "must have {SINCE} in an argument of its command: the time from which on it prints"
            )
        })
    }

    fn since(&self, now: OffsetDateTime) -> LogSource {
        let since = now.format(&Rfc3339).unwrap_or_default();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let words: Vec<String> = if let Some(path) = &self.file {
            return LogSource::file(&self.service, path).from_now();
        } else if let Some(container) = &self.docker {
            words(&["docker", "logs", "--since", &since, container])
        } else if let Some(arguments) = &self.kubectl {
            let since = format!("--since-time={since}");
            let mut command: Vec<String> = words(&["kubectl", "logs"]);
            command.extend(arguments.split_whitespace().map(str::to_owned));
            command.push(since);
            command
        } else if let Some(unit) = &self.journald {
            let since = format!("@{}", now.unix_timestamp());
            words(&[
                "journalctl",
                "--no-pager",
                "--quiet",
                "--output=cat",
                "--unit",
                unit,
                "--since",
                &since,
            ])
        } else {
            let command = self.command.iter().flatten();
            command.map(|word| word.replace(SINCE, &since)).collect()
        };
        LogSource::command(&self.service, words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capability;
    use crate::target_file::Target;

    const ATTACHED: &str = "schema = 1\nname = 'x'\nclass = 'local'\n[api]\nurl = 'http://127.0.0.1:1'\n\
        [identity.mint]\nsecret = { env = 'S' }\nissuer = 'i'\n";

    fn target(sources: &str) -> Result<Target, String> {
        let text = format!("{ATTACHED}[logs]\nsources = [{sources}]\n");
        Target::parse(&text, "x.toml").map_err(|error| error.to_string())
    }

    fn command(source: &str) -> String {
        let settings = target(source).unwrap().logs;
        let source = settings.sources[0].since(OffsetDateTime::UNIX_EPOCH);
        format!("{source:?}").replace("\", \"", " ")
    }

    #[test]
    fn sources_grant_the_log_capability() {
        let logs = |sources| target(sources).unwrap().grants().include(Capability::Logs);
        assert!(logs("{ service = 'api', file = '/var/log/api.log' }"));
        assert!(!logs(""));
    }

    #[test]
    fn each_kind_of_source_reads_from_a_time_on() {
        let docker = command("{ service = 'api', docker = 'app-1' }");
        assert!(
            docker.contains("docker logs --since 1970-01-01T00:00:00Z app-1"),
            "{docker}"
        );
        let kubectl = command("{ service = 'api', kubectl = 'deploy/worker -n staging' }");
        let expected = "kubectl logs deploy/worker -n staging --since-time=1970-01-01T00:00:00Z";
        assert!(kubectl.contains(expected), "{kubectl}");
        let journald = command("{ service = 'api', journald = 'app.service' }");
        assert!(
            journald.contains("--unit app.service --since @0"),
            "{journald}"
        );
        let other = command("{ service = 'api', command = ['logcli', '--from={since}', 'x'] }");
        assert!(
            other.contains("logcli --from=1970-01-01T00:00:00Z x"),
            "{other}"
        );
    }

    #[test]
    fn a_source_has_exactly_one_origin_and_a_service() {
        for (source, part) in [
            ("{ service = 'api' }", "exactly one of"),
            (
                "{ service = 'api', file = 'a', docker = 'b' }",
                "exactly one of",
            ),
            ("{ file = 'a' }", "must have a service"),
            ("{ service = 'api', command = ['cat', 'a'] }", "{since}"),
        ] {
            let error = target(source).unwrap_err();
            assert!(
                error.contains("key 'logs.sources' has a source [0]") && error.contains(part),
                "{error}"
            );
        }
    }
}
