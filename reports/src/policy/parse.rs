//! Parsing a policy, with errors that name the line and the key.

use serde::{Deserialize as _, Deserializer, de};
use time::{Date, Month};
use toml::de::DeTable;

use super::rules::{Policy, Waiver};
use crate::record::Plan;

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
    /// A waiver or an objective names a check that is not planned.
    #[error(
        "apply the {what} for '{check}': no check has this id; `cutover list` shows all checks"
    )]
    UnknownCheck {
        /// The table of the policy.
        what: &'static str,
        /// The check.
        check: String,
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
        let policy: Self = toml::from_str(text).map_err(|error| PolicyError::Malformed {
            origin: origin.to_owned(),
            line: line_at(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        match policy.first_error() {
            None => Ok(policy),
            Some(error) => Err(PolicyError::Invalid {
                origin: origin.to_owned(),
                line: error.line(text),
                key: error.key(),
                problem: error.text,
            }),
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
        if let Some((row, check)) = first_duplicate(self.waivers.iter().map(|w| w.check.as_str())) {
            let text = format!("names '{check}' twice; keep one waiver per check");
            return Some(ValueError::new(Some(("waiver", row)), "check", text));
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
        self.waivers.iter().enumerate().find_map(missing_text)
    }

    /// Rejects a waiver or an objective for a check that the plan does not have: a misspelt
    /// waiver would otherwise look like one that is not needed.
    pub fn validate_against(&self, plan: &Plan) -> Result<(), PolicyError> {
        let waivers = self.waivers.iter().map(|waiver| ("waiver", &waiver.check));
        let objectives = self.objectives.iter().map(|it| ("objective", &it.check));
        let unknown = waivers
            .chain(objectives)
            .find(|(_, check)| plan.check(check).is_none());
        match unknown {
            None => Ok(()),
            Some((what, check)) => Err(PolicyError::UnknownCheck {
                what,
                check: check.to_string(),
            }),
        }
    }
}

/// A value that parses but is not allowed, with its row in its table.
struct ValueError {
    row: Option<(&'static str, usize)>,
    key: &'static str,
    text: String,
}

impl ValueError {
    fn new(row: Option<(&'static str, usize)>, key: &'static str, text: impl Into<String>) -> Self {
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

/// A waiver without an owner or a reason.
fn missing_text((row, waiver): (usize, &Waiver)) -> Option<ValueError> {
    [
        ("owner", &waiver.owner, "is empty; name who is responsible"),
        (
            "reason",
            &waiver.reason,
            "is empty; state why it is accepted",
        ),
    ]
    .into_iter()
    .find(|(_, value, _)| value.trim().is_empty())
    .map(|(key, _, text)| ValueError::new(Some(("waiver", row)), key, text))
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
