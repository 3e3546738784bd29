//! Reading a policy, and saying clearly what is wrong with it.

use serde::{Deserialize as _, Deserializer, de};
use time::{Date, Month};

use super::rules::Policy;
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
    #[error("{origin}: key '{key}' {problem}")]
    Invalid {
        /// The file.
        origin: String,
        /// The key.
        key: &'static str,
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
            Some((key, problem)) => Err(PolicyError::Invalid {
                origin: origin.to_owned(),
                key,
                problem,
            }),
        }
    }

    fn problem(&self) -> Option<(&'static str, String)> {
        if self.schema != 1 {
            return Some((
                "schema",
                "must be 1: this cutover knows no other format".to_owned(),
            ));
        }
        if !self.suites.iter().any(|rule| rule.required) {
            let problem = "requires no suite, so nothing could ever be a NO; set required = true";
            return Some(("suite.required", problem.to_owned()));
        }
        if let Some(id) = repeated(self.suites.iter().map(|rule| rule.id.as_str())) {
            return Some((
                "suite.id",
                format!("names '{id}' twice; keep one rule per suite"),
            ));
        }
        let check = repeated(self.waivers.iter().map(|waiver| waiver.check.as_str()))?;
        Some((
            "waiver.check",
            format!("names '{check}' twice; keep one waiver per check"),
        ))
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

fn repeated<'a>(ids: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    ids.into_iter().find(|id| !seen.insert(*id))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Severity;

    const HEAD: &str = "schema = 1\nname = \"x\"\nbar = \"high\"\nmax_age = \"2h\"\n";
    const SUITE: &str = "[[suite]]\nid = \"pipeline\"\nrequired = true\n";
    const WAIVER: &str = "[[waiver]]\ncheck = \"pipeline::a\"\nowner = \"me\"\nreason = \"x\"\nexpires = 2026-12-31\n";

    fn problem(text: &str) -> String {
        Policy::parse(text, "x.toml")
            .expect_err("it should be refused")
            .to_string()
    }

    #[test]
    fn the_default_is_a_policy() {
        let policy = Policy::default_gate();
        assert_eq!(policy.bar, Severity::High);
        assert!(policy.requires("pipeline"));
    }

    #[test]
    fn a_waiver_holds_through_its_last_day() {
        let policy = Policy::parse(&format!("{HEAD}{SUITE}{WAIVER}"), "x.toml").unwrap();
        let day = |day| Date::from_calendar_date(2026, Month::December, day).unwrap();
        assert!(policy.waivers[0].holds_on(day(31)));
        assert!(!policy.waivers[0].holds_on(day(31).next_day().unwrap()));
    }

    #[test]
    fn mistakes_are_named_with_file_line_and_key() {
        let table = [
            (
                format!("{HEAD}barr = 1\n{SUITE}"),
                "x.toml:5: unknown field `barr`",
            ),
            (
                HEAD.replace("high", "highest") + SUITE,
                "x.toml:3: unknown variant `highest`",
            ),
            (
                HEAD.replace("2h", "2 hours") + SUITE,
                "'2 hours' is no length of time",
            ),
            (
                HEAD.replace("schema = 1", "schema = 2") + SUITE,
                "key 'schema' must be 1",
            ),
            (
                format!("{HEAD}{}", SUITE.replace("true", "false")),
                "key 'suite.required' requires no suite",
            ),
            (
                format!("{HEAD}{SUITE}{SUITE}"),
                "key 'suite.id' names 'pipeline' twice",
            ),
            (
                format!("{HEAD}{SUITE}{WAIVER}{WAIVER}"),
                "key 'waiver.check' names 'pipeline::a' twice",
            ),
            (
                format!("{HEAD}{SUITE}{}", WAIVER.replace("pipeline::a", "a")),
                "'a' is not a check id",
            ),
            (
                format!("{HEAD}{SUITE}{}", WAIVER.replace("2026-12-31", "\"soon\"")),
                "x.toml:12",
            ),
        ];
        for (text, expected) in table {
            let said = problem(&text);
            assert!(said.contains(expected), "'{expected}' is not in '{said}'");
        }
    }
}
