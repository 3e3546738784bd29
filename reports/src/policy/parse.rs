//! Parsing a policy, with errors that name the line and the key.

use serde::{Deserialize as _, Deserializer, de};
use time::{Date, Month};
use toml::de::DeTable;

use super::rules::{Policy, PolicyFile};
use super::waiver::{Waiver, WaiverSubject, is_fingerprint};

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The text is not a policy.
    #[error("{origin}:{line}: {message}; `cutover schema policy` prints the schema of a policy")]
    Malformed {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// The error, with the key.
        message: String,
    },
    /// A value is not allowed.
    #[error("{origin}:{line}: key '{key}' {problem}")]
    Invalid {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The error and its remedy.
        problem: String,
    },
}

impl Policy {
    /// The default policy.
    ///
    /// # Panics
    /// Never: the text is part of the program, and a test parses it.
    #[expect(
        clippy::expect_used,
        reason = "the text is part of the program, and a test parses it"
    )]
    pub fn default_gate() -> Self {
        Self::parse(include_str!("default.toml"), "default.toml").expect("the default policy")
    }

    /// Parses a policy. Errors name its file as `origin`.
    pub fn parse(text: &str, origin: &str) -> Result<Self, PolicyError> {
        let mut policy: Self = toml::from_str(text).map_err(|error| PolicyError::Malformed {
            origin: origin.to_owned(),
            line: line_at(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        policy.file = PolicyFile {
            origin: origin.to_owned(),
            text: text.to_owned(),
        };
        match policy.first_error() {
            None => Ok(policy),
            Some(error) => Err(policy.invalid(error)),
        }
    }

    /// The error about a value, with its place in the file.
    pub(super) fn invalid(&self, error: ValueError) -> PolicyError {
        PolicyError::Invalid {
            origin: self.file.origin.clone(),
            line: error.line(&self.file.text),
            key: error.key(),
            problem: error.text,
        }
    }

    fn first_error(&self) -> Option<ValueError> {
        if self.schema != 1 {
            let text = "must be 1: this cutover supports no other format";
            return Some(ValueError::new(None, "schema", text));
        }
        if !self.suites.iter().any(|rule| rule.required) {
            let text = "is true for no suite, so an empty run would be a GO; set required = true";
            return Some(ValueError::new(Some(("suite", 0)), "required", text));
        }
        if let Some((row, id)) = first_duplicate(self.suites.iter().map(|rule| rule.id.as_str())) {
            let text = format!("names '{id}' twice; keep one rule per suite");
            return Some(ValueError::new(Some(("suite", row)), "id", text));
        }
        let objectives: Vec<_> = self
            .objectives
            .iter()
            .map(|it| it.expect.to_string())
            .collect();
        if let Some((row, text)) = first_duplicate(objectives.iter().map(String::as_str)) {
            let text = format!("is '{text}' twice; keep one of them");
            return Some(ValueError::new(Some(("objective", row)), "expect", text));
        }
        let mut waivers = self.waivers.iter().enumerate();
        waivers
            .find_map(|(row, waiver)| waiver_error(row, waiver))
            .or_else(|| self.repeated_waiver())
    }
}

impl Policy {
    /// A second waiver about the same thing.
    fn repeated_waiver(&self) -> Option<ValueError> {
        let subjects = self.waivers.iter().filter_map(Waiver::subject);
        let subjects: Vec<_> = subjects.map(|subject| subject.to_string()).collect();
        let (row, _) = first_duplicate(subjects.iter().map(String::as_str))?;
        let subject = self.waivers.get(row)?.subject()?;
        let (key, value) = (subject.key(), subject.value());
        let text = format!("names '{value}' twice; keep one waiver per {key}");
        Some(ValueError::new(Some(("waiver", row)), key, text))
    }
}

/// A value that parses but is not allowed, with its row in its table.
pub(super) struct ValueError {
    row: Option<(&'static str, usize)>,
    key: &'static str,
    text: String,
}

impl ValueError {
    pub(super) fn new(
        row: Option<(&'static str, usize)>,
        key: &'static str,
        text: impl Into<String>,
    ) -> Self {
        Self {
            row,
            key,
            text: text.into(),
        }
    }

    /// The key, qualified by its table.
    fn key(&self) -> String {
        let table = self
            .row
            .map_or(String::new(), |(table, _)| table.to_owned() + ".");
        table + self.key
    }

    /// The line of the value; the first line if the key is absent.
    fn line(&self, text: &str) -> usize {
        let start = || {
            let document = DeTable::parse(text).ok()?;
            let table = match self.row {
                None => document.get_ref(),
                Some((table, row)) => {
                    let rows = document.get_ref().get(table)?;
                    rows.get_ref().get(row)?.get_ref().as_table()?
                }
            };
            Some(table.get(self.key)?.span().start)
        };
        line_at(text, start().unwrap_or(0))
    }
}

/// A waiver that names no subject or several, or that lacks a text.
fn waiver_error(row: usize, waiver: &Waiver) -> Option<ValueError> {
    let error = |key, text: &str| Some(ValueError::new(Some(("waiver", row)), key, text));
    match waiver.subject() {
        None => {
            let text = "names not exactly one of check, rule and fingerprint; keep one of them";
            return error(unclear_subject(waiver), text);
        }
        Some(WaiverSubject::Fingerprint(print)) if !is_fingerprint(print) => {
            let text =
                "is no fingerprint of 32 digits of 0-9 and a-f; copy one from findings.sarif";
            return error("fingerprint", text);
        }
        Some(_) => {}
    }
    let texts = [
        ("owner", &waiver.owner, "is empty; name who is responsible"),
        (
            "reason",
            &waiver.reason,
            "is empty; state why it is accepted",
        ),
        (
            "ticket",
            &waiver.ticket,
            "is empty; name the ticket in which the cause is removed",
        ),
    ];
    let mut texts = texts.into_iter();
    let (key, _, text) = texts.find(|(_, value, _)| value.trim().is_empty())?;
    error(key, text)
}

/// The key of a waiver with several subjects that stands for the error.
fn unclear_subject(waiver: &Waiver) -> &'static str {
    if waiver.fingerprint.is_some() {
        "fingerprint"
    } else if waiver.rule.is_some() {
        "rule"
    } else {
        "check"
    }
}

/// The first id that occurs a second time, with the position of that occurrence.
fn first_duplicate<'a>(ids: impl Iterator<Item = &'a str>) -> Option<(usize, &'a str)> {
    let mut seen = std::collections::BTreeSet::new();
    ids.enumerate().find(|(_, id)| !seen.insert(*id))
}

/// The number, from 1, of the line that contains this byte.
fn line_at(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// Deserializes a TOML date: `2026-12-31`.
pub(super) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let written = toml::value::Datetime::deserialize(deserializer)?;
    let day = written.date.filter(|_| written.time.is_none());
    let day =
        day.ok_or_else(|| de::Error::custom("expected a day without a time, as in 2026-12-31"))?;
    let month = Month::try_from(day.month).map_err(de::Error::custom)?;
    Date::from_calendar_date(i32::from(day.year), month, day.day).map_err(de::Error::custom)
}
