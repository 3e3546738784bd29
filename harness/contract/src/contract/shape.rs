//! The shape of an answer: everything that it holds, and of what kind each value is.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The kinds of values, as a contract names them.
const KINDS: [&str; 7] = ["any", "bool", "list", "null", "number", "object", "text"];

/// What stands for each item of a list in the place of a value.
const ITEM: &str = "*";

/// Stands for whatever is at a place, and below it.
const ANY: &str = "any";

/// The places of an answer, each with the kinds of values that may be there: lines
/// like `/jobs/*/last_error null|object`. A shape without lines promises nothing.
///
/// A list or an object has a line of its own only where it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schemars(with = "Vec<String>")]
pub struct Shape(BTreeMap<String, BTreeSet<String>>);

impl Shape {
    /// The shape that all examples of an answer have together.
    pub fn of<'a>(examples: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut shape = Self::default();
        for example in examples {
            shape.add(String::new(), example);
        }
        shape
    }

    /// Whether anything is promised.
    pub fn is_given(&self) -> bool {
        !self.0.is_empty()
    }

    /// Where an answer departs from what was promised: `+` is there and was not promised,
    /// `-` was promised and is not there. Nothing where it does not.
    pub fn departures(&self, promised: &Self) -> Option<String> {
        let unpromised = self.0.iter().flat_map(|(place, kinds)| {
            kinds
                .iter()
                .filter(move |kind| !promised.allows(place, kind))
                .map(move |kind| format!("+ {place} {kind}"))
        });
        let missing = promised
            .0
            .iter()
            .filter(|(place, _)| !self.reaches(place))
            .map(|(place, kinds)| format!("- {}", line(place, kinds)));
        let mut lines: Vec<_> = unpromised.chain(missing).collect();
        lines.sort_by(|a, b| a[2..].cmp(&b[2..]).then_with(|| b.cmp(a)));
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn add(&mut self, place: String, value: &Value) {
        let kind = match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    self.add(format!("{place}/{name}"), field);
                }
                return;
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    self.add(format!("{place}/{ITEM}"), item);
                }
                return;
            }
            Value::Object(_) => "object",
            Value::Array(_) => "list",
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "text",
        };
        self.0.entry(place).or_default().insert(kind.to_owned());
    }

    fn allows(&self, place: &str, kind: &str) -> bool {
        let allowed = |place: &str, kind: &str| {
            let kinds = self.0.get(place);
            kinds.is_some_and(|kinds| kinds.contains(kind) || kinds.contains(ANY))
        };
        let mut above = place;
        while let Some((parent, _)) = above.rsplit_once('/') {
            above = parent;
            if allowed(above, ANY) {
                return true;
            }
        }
        allowed(place, kind)
    }

    /// Whether there is a value at a place or below it.
    fn reaches(&self, place: &str) -> bool {
        let below = format!("{place}/");
        self.0.contains_key(place) || self.0.keys().any(|key| key.starts_with(&below))
    }
}

fn line(place: &str, kinds: &BTreeSet<String>) -> String {
    let kinds: Vec<_> = kinds.iter().map(String::as_str).collect();
    format!("{place} {}", kinds.join("|"))
}

impl TryFrom<Vec<String>> for Shape {
    type Error = String;

    fn try_from(lines: Vec<String>) -> Result<Self, String> {
        let mut shape = BTreeMap::new();
        for line in lines {
            let read = line
                .split_once(' ')
                .filter(|(place, _)| place.starts_with('/'))
                .map(|(place, kinds)| (place, kinds.split('|').map(str::trim)));
            let Some((place, kinds)) = read else {
                return Err(format!(
                    "'{line}' is no place with its kind, such as \"/job_id text\""
                ));
            };
            let kinds: BTreeSet<_> = kinds.map(str::to_owned).collect();
            if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
                return Err(format!(
                    "'{unknown}' in '{line}' is none of {}",
                    KINDS.join(", ")
                ));
            }
            shape.insert(place.to_owned(), kinds);
        }
        Ok(Self(shape))
    }
}

impl From<Shape> for Vec<String> {
    fn from(shape: Shape) -> Self {
        let lines = shape.0.iter();
        lines.map(|(place, kinds)| line(place, kinds)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn promised(lines: &[&str]) -> Shape {
        let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
        Shape::try_from(lines).unwrap()
    }

    #[test]
    fn an_answer_as_promised_does_not_depart() {
        let examples = [
            json!({"id": "a", "error": null, "jobs": [{"n": 1}]}),
            json!({"id": "b", "error": {"code": "x", "details": {"deep": [1]}}, "jobs": []}),
        ];
        let promised = promised(&[
            "/id text",
            "/error null",
            "/error/code text",
            "/error/details any",
            "/jobs list",
            "/jobs/*/n number",
        ]);
        assert_eq!(Shape::of(&examples).departures(&promised), None);
    }

    #[test]
    fn every_departure_is_told_beside_what_was_promised() {
        let answer = json!({"id": 7, "secret": "s"});
        let promised = promised(&["/id text", "/state text"]);
        let told = Shape::of([&answer]).departures(&promised).unwrap();
        assert_eq!(told, "+ /id number\n+ /secret text\n- /state text");
    }

    #[test]
    fn a_bad_line_is_refused_with_an_example() {
        for (line, told) in [
            ("job_id text", "is no place"),
            ("/job_id", "such as"),
            ("/job_id string", "'string'"),
        ] {
            let refused = Shape::try_from(vec![line.to_owned()]).unwrap_err();
            assert!(refused.contains(told), "{refused}");
        }
    }
}
