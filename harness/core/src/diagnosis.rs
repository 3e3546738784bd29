//! What the system itself reports about a failure: rows, log lines, errors of the database, refused requests.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cutover_reports::record::{Evidence, Observation};
use serde_json::Value;
use uuid::Uuid;

use crate::connection::Connection;
use crate::sut_clients::SutClients;
use cutover_contract::probe::{Database, JobRow};
use cutover_evidence::journal::{LatestObservation, Recorder};

/// How long a diagnosis may take.
const WITHIN: Duration = Duration::from_secs(2);
/// The maximum number of log lines.
const MAX_LINES: usize = 10;
/// The maximum length of a log line in characters.
const MAX_LINE: usize = 400;
/// How much of a log is read at most, from its end.
const MAX_READ: u64 = 1024 * 1024;
/// The log of the database of a stack, beside the logs of the pipeline.
const DATABASE_LOG: &str = "postgres.log";

/// The lengths of the logs when a check began.
#[derive(Debug, Default)]
pub(crate) struct LogPositions(Vec<LogPosition>);

#[derive(Debug)]
struct LogPosition {
    process: String,
    path: PathBuf,
    length: u64,
}

impl LogPositions {
    /// The current lengths of all logs that are files. A command may take too long to read it for every check.
    pub(crate) fn now(connection: &Connection) -> Self {
        let files = connection.logs.iter().filter_map(|source| {
            let path = source.path()?.to_owned();
            Some((source.process.clone(), path))
        });
        let logs: Vec<_> = files.collect();
        let beside = logs.first().map(|(_, path)| {
            let path = path.with_file_name(DATABASE_LOG);
            ("the database".to_owned(), path)
        });
        let logs = logs.into_iter();
        let positions = logs.chain(beside).filter_map(|(process, path)| {
            let length = fs::metadata(&path).ok()?.len();
            Some(LogPosition {
                process,
                path,
                length,
            })
        });
        Self(positions.collect())
    }
}

/// A search for what the system reports about the documents of a failed check.
pub(crate) struct Diagnosis<'a> {
    clients: &'a SutClients,
    recorder: &'a Recorder,
    logs: &'a LogPositions,
    /// The documents of the check, each with its job.
    documents: Vec<(Uuid, Uuid)>,
}

impl<'a> Diagnosis<'a> {
    /// A search about these documents, in the logs since these positions.
    pub(crate) fn new(
        clients: &'a SutClients,
        recorder: &'a Recorder,
        logs: &'a LogPositions,
        documents: Vec<(Uuid, Uuid)>,
    ) -> Self {
        Self {
            clients,
            recorder,
            logs,
            documents,
        }
    }

    /// Records what is found, if the check waited for a document or received a 5xx response.
    pub(crate) async fn record(&self) {
        let request = match self.recorder.latest() {
            LatestObservation::Wait if !self.documents.is_empty() => None,
            LatestObservation::ServerError(request) => Some(request),
            LatestObservation::Wait | LatestObservation::Other => return,
        };
        let search = async {
            if request.is_none() {
                self.record_jobs().await;
            }
            self.record_logs(request);
        };
        // What was found until then is recorded.
        let _ = tokio::time::timeout(WITHIN, search).await;
    }

    /// Records the rows of the documents' jobs.
    async fn record_jobs(&self) {
        let Some(pool) = self.clients.pool() else {
            return;
        };
        let layout = &self.clients.contract().database;
        let database = Database::new(pool, layout, Recorder::silent());
        for (document, _) in &self.documents {
            // A database that cannot be read has nothing to report.
            for job in database.jobs_of(*document).await.unwrap_or_default() {
                self.observe("database", &summary(&job));
            }
        }
    }

    /// Records the log lines with an id of the check, and the errors in its time.
    fn record_logs(&self, request: Option<String>) {
        let documents = self.documents.iter();
        let ids = documents.flat_map(|(document, job)| [document.to_string(), job.to_string()]);
        let ids = request.map_or_else(|| ids.collect(), |request| vec![request]);
        let mut lines = Vec::new();
        for log in &self.logs.0 {
            let text = appended(&log.path, log.length).unwrap_or_default();
            let relevant = text
                .lines()
                .filter_map(|line| Some((relevance(line, &ids)?, line)));
            lines.extend(relevant.map(|(rank, line)| (rank, &log.process, line.to_owned())));
        }
        // Lines that differ in numbers and ids only, such as those of polls, are shown once: the latest.
        lines.reverse();
        let mut seen = BTreeSet::new();
        lines.retain(|(_, process, line)| seen.insert((*process, skeleton(line))));
        lines.reverse();
        // The sort is stable: lines with an id first, each in its order.
        lines.sort_by_key(|(rank, ..)| *rank);
        for (_, process, line) in lines.into_iter().take(MAX_LINES) {
            let line: String = line.chars().take(MAX_LINE).collect();
            self.observe(&format!("log of {process}"), &line);
        }
    }

    fn observe(&self, surface: &str, summary: &str) {
        self.recorder.record(Evidence::Observed(Observation {
            surface: surface.to_owned(),
            summary: summary.to_owned(),
            value: Value::Null,
        }));
    }
}

/// How much a log line tells: a problem with an id of the check, another line with one, a problem
/// without any; `None` if it tells nothing.
fn relevance(line: &str, ids: &[String]) -> Option<u8> {
    const PROBLEMS: [&str; 8] = [
        "ERROR", "FATAL", "PANIC", "WARN", "error\"", "warn", "panicked", "CRITICAL",
    ];
    let is_problem = PROBLEMS.iter().any(|word| line.contains(word));
    let has_id = ids.iter().any(|id| line.contains(id.as_str()));
    match (has_id, is_problem) {
        (true, true) => Some(0),
        (true, false) => Some(1),
        // A line about another job belongs to another check.
        (false, true) => (!line.contains("job_id")).then_some(2),
        (false, false) => None,
    }
}

/// A log line without what differs between two occurrences: digits, and letters of hexadecimal numbers.
fn skeleton(line: &str) -> String {
    line.chars()
        .filter(|c| !c.is_ascii_hexdigit() && *c != '-')
        .collect()
}

/// A job row in words.
fn summary(job: &JobRow) -> String {
    let claimed = match &job.claimed_by {
        Some(worker) => format!("claimed by {worker}"),
        None => "not claimed".to_owned(),
    };
    let error = match &job.last_error {
        Some(error) => format!("last error {error}"),
        None => "no error".to_owned(),
    };
    let state = job.state.as_deref().unwrap_or("unknown");
    let retries = match job.retry_count {
        Some(count) => format!(", {count} retries"),
        None => String::new(),
    };
    format!(
        "the row of job {} has status {}, state {state}{retries}, {claimed}, {error}",
        job.job_id, job.status
    )
}

/// What was appended to a file since it had this length; at most its end.
fn appended(path: &Path, since: u64) -> std::io::Result<String> {
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    // A shorter file was replaced.
    let since = if since > length { 0 } else { since };
    file.seek(SeekFrom::Start(since.max(length.saturating_sub(MAX_READ))))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_check_precede_other_problems() {
        let ids = ["a-job".to_owned()];
        for (line, expected) in [
            (r#"{"level":"ERROR","job_id":"a-job"}"#, Some(0)),
            (r#"{"level":"INFO","job_id":"a-job"}"#, Some(1)),
            ("ERROR:  deadlock detected", Some(2)),
            (r#"{"level":"ERROR","job_id":"another"}"#, None),
            (r#"{"level":"INFO"}"#, None),
        ] {
            assert_eq!(relevance(line, &ids), expected, "{line}");
        }
    }

    #[test]
    fn lines_that_differ_in_ids_only_are_alike() {
        let line = |id: &str| format!("2026-11-27T02:06:{id}1Z GET /jobs/{id}-9c1f 200");
        assert_eq!(skeleton(&line("4a")), skeleton(&line("17")));
        assert_ne!(skeleton(&line("4a")), skeleton("GET /health 200"));
    }

    #[test]
    fn only_what_was_appended_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("api.log");
        fs::write(&path, "before\nafter\n").unwrap();
        assert_eq!(appended(&path, 7).unwrap(), "after\n");
        assert_eq!(appended(&path, 99).unwrap(), "before\nafter\n");
    }
}
