//! What an answer must be to be read: the right status, JSON, the promised fields. Anything else is a finding.

use cutover_reports::record::Finding;
use serde_json::Value;
use uuid::Uuid;

use super::pointer::Pointer;
use crate::probe::Response;
use cutover_evidence::stop::{CheckResult, Stop};

impl Response {
    /// The answer itself, if it has this status.
    pub fn expect_status(self, status: u16) -> CheckResult<Self> {
        if self.status == status {
            return Ok(self);
        }
        let summary = format!("{} is answered with the wrong status", self.request);
        Err(Stop::violated(
            Finding::new(summary).comparing(status.to_string(), self.summary()),
        ))
    }

    /// The body as JSON.
    pub fn json(&self) -> CheckResult<Value> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let called = match self.header("content-type") {
                None => "and is not called anything".to_owned(),
                Some(kind) if kind.contains("json") => format!("although it is called {kind}"),
                Some(kind) => format!("but {kind}"),
            };
            let summary = format!(
                "{} is answered with a body that is not JSON, {called}: {error}",
                self.request
            );
            Stop::violated(Finding::new(summary).comparing("JSON", self.summary()))
        })
    }

    /// The value at a JSON pointer in the body.
    pub fn field(&self, pointer: &str) -> CheckResult<Value> {
        let document = self.json()?;
        document
            .pointer(pointer)
            .cloned()
            .ok_or_else(|| self.lacks(pointer))
    }

    fn lacks(&self, pointer: &str) -> Stop {
        let summary = format!("the answer to {} lacks {pointer}", self.request);
        Stop::violated(Finding::new(summary).comparing(pointer, self.summary()))
    }
}

/// Reads the promised fields of one JSON document.
pub(super) struct FieldReader<'a> {
    /// What is read, for findings.
    what: &'a str,
    document: &'a Value,
}

impl<'a> FieldReader<'a> {
    pub(super) fn of(what: &'a str, document: &'a Value) -> Self {
        Self { what, document }
    }

    /// A text, if one is given.
    pub(super) fn text(&self, pointer: &Pointer) -> CheckResult<Option<String>> {
        self.typed(pointer, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// An id, if one is given.
    pub(super) fn uuid(&self, pointer: &Pointer) -> CheckResult<Option<Uuid>> {
        self.typed(pointer, "a UUID", |value| value.as_str()?.parse().ok())
    }

    /// A whole number from 0, if one is given.
    pub(super) fn count(&self, pointer: &Pointer) -> CheckResult<Option<u64>> {
        self.typed(pointer, "a whole number from 0", Value::as_u64)
    }

    /// A number, if one is given.
    pub(super) fn number(&self, pointer: &Pointer) -> CheckResult<Option<f64>> {
        self.typed(pointer, "a number", Value::as_f64)
    }

    /// What a field must have: a finding when it is missing.
    pub(super) fn required<T>(
        &self,
        pointer: &Pointer,
        field: CheckResult<Option<T>>,
    ) -> CheckResult<T> {
        field?.ok_or_else(|| self.wrong(pointer, "a value", "nothing"))
    }

    fn typed<T>(
        &self,
        pointer: &Pointer,
        kind: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> CheckResult<Option<T>> {
        match pointer.find(self.document) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(value) {
                Some(read) => Ok(Some(read)),
                None => Err(self.wrong(pointer, kind, &value.to_string())),
            },
        }
    }

    fn wrong(&self, pointer: &Pointer, expected: &str, actual: &str) -> Stop {
        let summary = format!("{} is wrong in {}", pointer.as_str(), self.what);
        Stop::violated(Finding::new(summary).comparing(expected, actual))
    }
}
