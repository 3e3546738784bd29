//! Objectives: what a measured value must reach, as an expression.
//!
//! The form is `[<statistic> of] <measurement> [from <t> s to <t> s] <operator> <number> [<unit>]`, as in
//! `time of a document of 50 kb < 10 s` or `max of response of a search at p95 from 2 s to 8 s <= 400 ms`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::record::{CheckId, Severity};

/// What a measured value of a check must reach. Without the value, the run has no result.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// The check that measures the value.
    #[schemars(with = "String")]
    pub check: CheckId,
    /// The expression, as in `time of a document of 50 kb < 10 s`.
    #[schemars(with = "String")]
    pub expect: Expression,
    /// The severity of a value that is not reached; `high` by default.
    #[serde(default = "default_severity")]
    pub severity: Severity,
}

fn default_severity() -> Severity {
    Severity::High
}

/// A bound on a measured value, or on a statistic of its series.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Expression {
    text: String,
    /// The name of the measurement.
    pub measurement: String,
    /// Which value of the series counts; the measured value itself if there is none.
    pub series: Option<SeriesPart>,
    /// How the value is compared.
    pub operator: Operator,
    /// The bound, in the unit below.
    pub bound: f64,
    /// The unit of the bound; empty for a number without one.
    pub unit: String,
}

/// A statistic of a part of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesPart {
    /// The statistic.
    pub statistic: Statistic,
    /// From which second of the measurement, and before which one.
    pub window: (f64, f64),
}

/// A statistic of the values of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The arithmetic mean.
    Mean,
    /// The smallest value that this share of the values does not exceed, from 0 to 1 (the nearest rank).
    Quantile(f64),
}

/// How a value is compared with its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// What stands at one end of words, and the other words.
type Split<'a, 'b, T> = (Option<T>, &'a [&'b str]);

/// A text that is no expression.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{text}' is no objective: {problem}; write for example \"time of a document of 50 kb < 10 s\" or \
     \"max of response of a search at p95 from 2 s to 8 s < 400 ms\""
)]
pub struct InvalidExpression {
    text: String,
    problem: String,
}

const OPERATORS: [(&str, Operator); 4] = [
    ("<", Operator::Less),
    ("<=", Operator::AtMost),
    (">", Operator::Greater),
    (">=", Operator::AtLeast),
];

impl FromStr for Expression {
    type Err = InvalidExpression;

    fn from_str(text: &str) -> Result<Self, InvalidExpression> {
        parse(text).map_err(|problem| InvalidExpression {
            text: text.to_owned(),
            problem,
        })
    }
}

impl TryFrom<String> for Expression {
    type Error = InvalidExpression;

    fn try_from(text: String) -> Result<Self, InvalidExpression> {
        text.parse()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

fn parse(text: &str) -> Result<Expression, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let operator = |word: &&str| OPERATORS.iter().find(|(sign, _)| sign == word);
    let at = words.iter().position(|word| operator(word).is_some());
    let at = at.ok_or("no operator of <, <=, >, >= stands alone between spaces")?;
    let operator = operator(&words[at]).map_or(Operator::Less, |(_, operator)| *operator);
    let (left, right) = (&words[..at], &words[at + 1..]);
    let (bound, unit) = bound(right)?;
    let (statistic, left) = statistic(left)?;
    let (window, name) = window(left)?;
    if name.is_empty() {
        return Err("it names no measurement".to_owned());
    }
    let series = match (statistic, window) {
        (None, None) => None,
        (None, Some(_)) => {
            return Err("a part of a series needs a statistic, as in 'max of'".to_owned());
        }
        (Some(statistic), window) => Some(SeriesPart {
            statistic,
            window: window.unwrap_or((0.0, f64::INFINITY)),
        }),
    };
    Ok(Expression {
        text: words.join(" "),
        measurement: name.join(" "),
        series,
        operator,
        bound,
        unit,
    })
}

/// The number and the unit to the right of the operator.
fn bound(words: &[&str]) -> Result<(f64, String), String> {
    let (number, unit) = match words {
        [] => return Err("no number follows the operator".to_owned()),
        [number] => (number, ""),
        [number, unit] => (number, *unit),
        [..] => return Err("after the operator, only a number and a unit are allowed".to_owned()),
    };
    Ok((finite(number)?, unit.to_owned()))
}

fn finite(word: &str) -> Result<f64, String> {
    let number = word.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("'{word}' is no number"))
}

/// The statistic before `of`, and the rest. The name of a measurement may contain `of`, too.
fn statistic<'a, 'b>(words: &'a [&'b str]) -> Result<Split<'a, 'b, Statistic>, String> {
    let [name, "of", rest @ ..] = words else {
        return Ok((None, words));
    };
    let statistic = match *name {
        "min" => Statistic::Min,
        "max" => Statistic::Max,
        "mean" => Statistic::Mean,
        "median" => Statistic::Quantile(0.5),
        // The measurement's own name: `time of a document`.
        _ => match name.strip_prefix('p').map(str::parse::<f64>) {
            Some(Ok(percent)) if (0.0..=100.0).contains(&percent) => {
                Statistic::Quantile(percent / 100.0)
            }
            Some(Ok(_)) => return Err(format!("'{name}' is not between p0 and p100")),
            Some(Err(_)) | None => return Ok((None, words)),
        },
    };
    Ok((Some(statistic), rest))
}

/// The window at the end, in seconds, and the words before it.
fn window<'a, 'b>(words: &'a [&'b str]) -> Result<Split<'a, 'b, (f64, f64)>, String> {
    let [rest @ .., "from", from, "s", "to", to, "s"] = words else {
        return Ok((None, words));
    };
    let (from, to) = (finite(from)?, finite(to)?);
    if from < 0.0 || from >= to {
        return Err(format!("from {from} s to {to} s is no time"));
    }
    Ok((Some((from, to)), rest))
}

impl Operator {
    /// Whether large values are the bad ones.
    pub fn is_upper_bound(self) -> bool {
        matches!(self, Self::Less | Self::AtMost)
    }

    /// Whether a value is on the right side of a bound.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
            Self::Greater => value > bound,
            Self::AtLeast => value >= bound,
        }
    }
}

impl SeriesPart {
    /// The statistic of the values in the window; nothing if there are none.
    pub fn of(self, series: &[[f64; 2]]) -> Option<f64> {
        let (from, to) = self.window;
        let part = series.iter().filter(|[at, _]| (from..to).contains(at));
        let mut values: Vec<f64> = part.map(|[_, value]| *value).collect();
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        match self.statistic {
            Statistic::Min => values.first().copied(),
            Statistic::Max => values.last().copied(),
            Statistic::Mean => Some(values.iter().sum::<f64>() / as_float(values.len())),
            Statistic::Quantile(share) => {
                let rank = (share * as_float(values.len())).ceil().max(1.0);
                values
                    .iter()
                    .enumerate()
                    .find(|(at, _)| as_float(at + 1) >= rank)
                    .map(|(_, value)| *value)
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
fn as_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Expression {
        text.parse().unwrap()
    }

    #[test]
    fn a_bound_on_a_value_is_read() {
        let it = parsed("time of  a document of 50 kb < 10 s");
        assert_eq!(it.measurement, "time of a document of 50 kb");
        assert_eq!(
            (it.operator, it.bound, it.unit.as_str()),
            (Operator::Less, 10.0, "s")
        );
        assert_eq!(it.series, None);
        assert_eq!(it.to_string(), "time of a document of 50 kb < 10 s");
        assert_eq!(parsed("scaling factor of ten >= 2").unit, "");
    }

    #[test]
    fn a_statistic_of_a_window_is_read() {
        let it = parsed("p95 of response of a search from 2 s to 8 s <= 400 ms");
        assert_eq!(it.measurement, "response of a search");
        let series = it.series.unwrap();
        assert_eq!(series.statistic, Statistic::Quantile(0.95));
        assert_eq!(series.window, (2.0, 8.0));
    }

    #[test]
    fn a_text_that_is_no_expression_is_explained() {
        for (text, problem) in [
            ("", "no operator"),
            ("time 10 s", "no operator"),
            ("time <10 s", "no operator"),
            ("< 10 s", "names no measurement"),
            ("time <", "no number"),
            ("time < ten s", "'ten' is no number"),
            ("time < NaN s", "'NaN' is no number"),
            ("time < 10 s now", "only a number and a unit"),
            ("p101 of time < 1 s", "between p0 and p100"),
            ("time from 1 s to 2 s < 1 s", "needs a statistic"),
            ("max of time from 2 s to 1 s < 1 s", "is no time"),
        ] {
            let error = text.parse::<Expression>().unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn a_statistic_counts_the_values_of_its_window() {
        let series = [[0.0, 9.0], [1.0, 1.0], [2.0, 3.0], [3.0, 2.0], [4.0, 8.0]];
        for (statistic, expected) in [
            (Statistic::Min, 1.0),
            (Statistic::Max, 3.0),
            (Statistic::Mean, 2.0),
            (Statistic::Quantile(0.5), 2.0),
            (Statistic::Quantile(1.0), 3.0),
            (Statistic::Quantile(0.0), 1.0),
        ] {
            let part = SeriesPart {
                statistic,
                window: (1.0, 4.0),
            };
            assert_eq!(part.of(&series), Some(expected), "{statistic:?}");
            let outside = SeriesPart {
                window: (5.0, 6.0),
                ..part
            };
            assert_eq!(outside.of(&series), None);
        }
    }

    #[test]
    fn a_bound_itself_is_on_one_side() {
        assert!(!Operator::Less.holds(1.0, 1.0) && Operator::AtMost.holds(1.0, 1.0));
        assert!(!Operator::Greater.holds(1.0, 1.0) && Operator::AtLeast.holds(1.0, 1.0));
        for (_, operator) in OPERATORS {
            assert!(!operator.holds(f64::NAN, 1.0));
        }
    }
}
