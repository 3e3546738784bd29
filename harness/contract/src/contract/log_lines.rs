//! The form of log lines, and where they have the ids of what they are about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pointer::Pointer;

/// The form of log lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLines {
    /// Whether each line is JSON.
    pub format: LogFormat,
    /// The id of the job.
    pub job_id: Pointer,
    /// The id of the document, in the same line as that of its job.
    pub document_id: Pointer,
    /// The id of the request.
    pub request_id: Pointer,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Each line is a JSON object.
    Json,
    /// Lines are text of any form. An id may be anywhere in a line; its pointer says only whether there is one.
    Text,
}

impl LogLines {
    /// Whether logs promise anything about their lines.
    pub fn promise(&self) -> bool {
        let ids = [&self.job_id, &self.document_id, &self.request_id];
        self.format == LogFormat::Json || ids.into_iter().any(Pointer::is_given)
    }

    /// Reads a line; nothing if it does not have the format.
    pub fn read<'a>(&self, line: &'a str) -> Option<LogLine<'a>> {
        Some(match self.format {
            LogFormat::Text => LogLine::Text(line),
            LogFormat::Json => LogLine::Json(serde_json::from_str(line).ok()?),
        })
    }
}

/// A line of a log.
#[derive(Clone, Debug)]
pub enum LogLine<'a> {
    /// Its JSON.
    Json(Value),
    /// Its text.
    Text(&'a str),
}

impl LogLine<'_> {
    /// Whether the line has this id; every line has an id that logs do not promise.
    pub fn has(&self, pointer: &Pointer, id: &str) -> bool {
        !pointer.is_given()
            || match self {
                Self::Json(line) => pointer.find_text(line).as_deref() == Some(id),
                Self::Text(line) => line.contains(id),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::Contract;
    use super::*;

    const DEFAULT: &str = include_str!("../../../../fixtures/contracts/upload_pipeline.toml");

    fn log_lines(overrides: &str) -> LogLines {
        let overrides = format!("[log_lines]\n{overrides}").parse().unwrap();
        Contract::parse_with_overrides(DEFAULT, &overrides, "x.toml")
            .unwrap()
            .log_lines
    }

    /// Whether a line has the ids of job and document; nothing if it does not have the format.
    fn has_ids(lines: &LogLines, text: &str) -> Option<bool> {
        let line = lines.read(text)?;
        Some(line.has(&lines.job_id, "17") && line.has(&lines.document_id, "d"))
    }

    #[test]
    fn an_id_is_at_its_pointer_or_anywhere_in_a_line_of_text() {
        let lines = log_lines("");
        assert_eq!(has_ids(&lines, "job 17 of d"), None);
        let both = r#"{"job_id": "17", "document_id": "d"}"#;
        assert_eq!(has_ids(&lines, both), Some(true));
        assert_eq!(has_ids(&lines, r#"{"job_id": "17"}"#), Some(false));
        let lines = log_lines("document_id = 'none'");
        assert_eq!(has_ids(&lines, r#"{"job_id": "17"}"#), Some(true));
        let lines = log_lines("format = 'text'\ndocument_id = 'none'");
        assert_eq!(has_ids(&lines, "job 17 begins"), Some(true));
        assert_eq!(has_ids(&lines, "job 18 begins"), Some(false));
        assert!(lines.promise());
        let none = "format = 'text'\njob_id = 'none'\ndocument_id = 'none'\nrequest_id = 'none'";
        assert!(!log_lines(none).promise());
    }
}
