//! Reads JSON responses: a wrong status, invalid JSON, or a wrong field is a finding.

use cutover_reports::record::Finding;
use serde_json::Value;
use uuid::Uuid;

use super::pointer::Pointer;
use crate::probe::Response;
use cutover_evidence::stop::{CheckResult, Stop};

impl Response {
    /// The body as JSON; a finding if it is invalid.
    pub fn json(&self) -> CheckResult<Value> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let content_type = match self.header("content-type") {
                None => "no Content-Type header".to_owned(),
                Some(content_type) => format!("content type {content_type}"),
            };
            let summary = format!(
                "{} has an invalid JSON body, {content_type}: {error}",
                self.request
            );
            Stop::violated(Finding::new(summary).comparing("JSON", self.summary()))
        })
    }

    /// The value at a JSON pointer in the body; a finding if it is missing.
    pub fn field(&self, pointer: &str) -> CheckResult<Value> {
        let document = self.json()?;
        document
            .pointer(pointer)
            .cloned()
            .ok_or_else(|| self.missing(pointer))
    }

    fn missing(&self, pointer: &str) -> Stop {
        let summary = format!("the response to {} has no {pointer}", self.request);
        Stop::violated(Finding::new(summary).comparing(pointer, self.summary()))
    }
}

/// Reads the fields of one JSON document.
pub(super) struct FieldReader<'a> {
    /// The name of the document, for findings.
    what: &'a str,
    document: &'a Value,
}

impl<'a> FieldReader<'a> {
    pub(super) fn new(what: &'a str, document: &'a Value) -> Self {
        Self { what, document }
    }

    /// A string field, if present.
    pub(super) fn text(&self, pointer: &Pointer) -> CheckResult<Option<String>> {
        self.typed(pointer, "a string", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// A time, if present: text, or a number since 1970.
    pub(super) fn time(&self, pointer: &Pointer) -> CheckResult<Option<String>> {
        self.typed(pointer, "a time", |value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    /// A UUID field, if present.
    pub(super) fn uuid(&self, pointer: &Pointer) -> CheckResult<Option<Uuid>> {
        self.typed(pointer, "a UUID", |value| value.as_str()?.parse().ok())
    }

    /// A non-negative integer field, if present.
    pub(super) fn count(&self, pointer: &Pointer) -> CheckResult<Option<u64>> {
        self.typed(pointer, "a non-negative integer", Value::as_u64)
    }

    /// A number field, if present.
    pub(super) fn number(&self, pointer: &Pointer) -> CheckResult<Option<f64>> {
        self.typed(pointer, "a number", Value::as_f64)
    }

    /// The value of a required field; a finding if it is missing.
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
        let summary = format!("{} has a wrong value in {}", pointer.as_str(), self.what);
        Stop::violated(Finding::new(summary).comparing(expected, actual))
    }
}
