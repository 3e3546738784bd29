//! Reading a policy, and saying clearly what is wrong with it.

use serde::{Deserialize as _, Deserializer, de};
use time::{Date, Month};
use toml::de::DeTable;

use super::rules::{Policy, Waiver};
use crate::record::Plan;

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not a policy.
    #[error("{origin}:{line}: {message}; `cutover schema policy` prints what a policy may say")]
    Malformed {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong, with the key.
        message: String,
    },
    /// A value that parses but cannot be.
    #[error("{origin}:{line}: key '{key}' {problem}")]
    Invalid {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// A waiver for a check that is not planned.
    #[error(
        "apply the waiver for '{check}': there is no such check; `cutover list` shows those there are"
    )]
    UnknownCheck {
        /// The check.
        check: String,
    },
}

impl Policy {
    /// The rules where no others are given.
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

    /// Parses a policy; `origin` is what its errors call it.
    pub fn parse(text: &str, origin: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text).map_err(|error| PolicyError::Malformed {
            origin: origin.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        match policy.problem() {
            None => Ok(policy),
            Some(problem) => Err(PolicyError::Invalid {
                origin: origin.to_owned(),
                line: problem.line(text),
                key: problem.key(),
                problem: problem.text,
            }),
        }
    }

    fn problem(&self) -> Option<Problem> {
        if self.schema != 1 {
            let text = "must be 1: this cutover knows no other format";
            return Some(Problem::new(None, "schema", text));
        }
        if !self.suites.iter().any(|rule| rule.required) {
            let text = "requires no suite, so nothing could ever be a NO; set required = true";
            return Some(Problem::new(Some(("suite", 0)), "required", text));
        }
        if let Some((row, id)) = repeated(self.suites.iter().map(|rule| rule.id.as_str())) {
            let text = format!("names '{id}' twice; keep one rule per suite");
            return Some(Problem::new(Some(("suite", row)), "id", text));
        }
        if let Some((row, check)) = repeated(self.waivers.iter().map(|w| w.check.as_str())) {
            let text = format!("names '{check}' twice; keep one waiver per check");
            return Some(Problem::new(Some(("waiver", row)), "check", text));
        }
        self.waivers.iter().enumerate().find_map(unanswered_for)
    }

    /// Refuses a policy that speaks of checks which the plan does not have: a
    /// waiver that is misspelt would be taken for one that is not needed.
    pub fn check_against(&self, plan: &Plan) -> Result<(), PolicyError> {
        match self
            .waivers
            .iter()
            .find(|waiver| plan.check(&waiver.check).is_none())
        {
            None => Ok(()),
            Some(waiver) => Err(PolicyError::UnknownCheck {
                check: waiver.check.to_string(),
            }),
        }
    }
}

/// What is wrong with a policy that parses, and in which row of which table.
struct Problem {
    row: Option<(&'static str, usize)>,
    key: &'static str,
    text: String,
}

impl Problem {
    fn new(row: Option<(&'static str, usize)>, key: &'static str, text: impl Into<String>) -> Self {
        Self {
            row,
            key,
            text: text.into(),
        }
    }

    /// The key with the table it stands in.
    fn key(&self) -> String {
        let table = self
            .row
            .map_or(String::new(), |(table, _)| table.to_owned() + ".");
        table + self.key
    }

    /// The line of the key's value; the first where there is no such key.
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
        line_of(text, start().unwrap_or(0))
    }
}

/// A waiver is somebody's decision, for a reason.
fn unanswered_for((row, waiver): (usize, &Waiver)) -> Option<Problem> {
    [
        ("owner", &waiver.owner, "is empty; say who answers for it"),
        ("reason", &waiver.reason, "is empty; say why it is accepted"),
    ]
    .into_iter()
    .find(|(_, said, _)| said.trim().is_empty())
    .map(|(key, _, text)| Problem::new(Some(("waiver", row)), key, text))
}

/// The first that was there before, and its place.
fn repeated<'a>(ids: impl Iterator<Item = &'a str>) -> Option<(usize, &'a str)> {
    let mut seen = std::collections::BTreeSet::new();
    ids.enumerate().find(|(_, id)| !seen.insert(*id))
}

/// The line, from 1, on which a byte of a text stands.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// A day, as TOML writes it: `2026-12-31`.
pub(super) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let written = toml::value::Datetime::deserialize(deserializer)?;
    let day = written.date.filter(|_| written.time.is_none());
    let day =
        day.ok_or_else(|| de::Error::custom("expected a day without a time, as in 2026-12-31"))?;
    let month = Month::try_from(day.month).map_err(de::Error::custom)?;
    Date::from_calendar_date(i32::from(day.year), month, day.day).map_err(de::Error::custom)
}
