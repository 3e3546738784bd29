//! The shape of a response: all of its fields and their types.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The types of values in a contract file.
const KINDS: [&str; 7] = ["any", "bool", "list", "null", "number", "object", "text"];

/// The segment for every item of a list.
const ITEM: &str = "*";

/// Any value, including nested ones.
const ANY: &str = "any";

/// The fields of a response with their allowed types, as lines such as
/// `/jobs/*/last_error null|object`. An empty shape allows anything.
///
/// A list or an object has its own line only if it may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schemars(with = "Vec<String>")]
pub struct Shape(BTreeMap<String, BTreeSet<String>>);

impl Shape {
    /// The common shape of several example responses.
    pub fn from_examples<'a>(examples: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut shape = Self::default();
        for example in examples {
            shape.add(String::new(), example);
        }
        shape
    }

    /// Whether the shape has any line.
    pub fn is_given(&self) -> bool {
        !self.0.is_empty()
    }

    /// The differences from the expected shape: `+` marks an unexpected field or type, `-` a
    /// missing one. `None` if the shapes match.
    pub fn differences(&self, expected: &Self) -> Option<String> {
        let unexpected = self.0.iter().flat_map(|(path, kinds)| {
            kinds
                .iter()
                .filter(move |kind| !expected.allows(path, kind))
                .map(move |kind| format!("+ {path} {kind}"))
        });
        let missing = expected
            .0
            .iter()
            .filter(|(path, _)| !self.contains(path))
            .map(|(path, kinds)| format!("- {}", line(path, kinds)));
        let mut lines: Vec<_> = unexpected.chain(missing).collect();
        lines.sort_by(|a, b| a[2..].cmp(&b[2..]).then_with(|| b.cmp(a)));
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn add(&mut self, path: String, value: &Value) {
        let kind = match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    self.add(format!("{path}/{name}"), field);
                }
                return;
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    self.add(format!("{path}/{ITEM}"), item);
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
        self.0.entry(path).or_default().insert(kind.to_owned());
    }

    fn allows(&self, path: &str, kind: &str) -> bool {
        let allowed = |path: &str, kind: &str| {
            let kinds = self.0.get(path);
            kinds.is_some_and(|kinds| kinds.contains(kind) || kinds.contains(ANY))
        };
        let mut ancestor = path;
        while let Some((parent, _)) = ancestor.rsplit_once('/') {
            ancestor = parent;
            if allowed(ancestor, ANY) {
                return true;
            }
        }
        allowed(path, kind)
    }

    /// Whether there is a value at a path or below it.
    fn contains(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.0.contains_key(path) || self.0.keys().any(|key| key.starts_with(&below))
    }
}

fn line(path: &str, kinds: &BTreeSet<String>) -> String {
    let kinds: Vec<_> = kinds.iter().map(String::as_str).collect();
    format!("{path} {}", kinds.join("|"))
}

impl TryFrom<Vec<String>> for Shape {
    type Error = String;

    fn try_from(lines: Vec<String>) -> Result<Self, String> {
        let mut shape = BTreeMap::new();
        for line in lines {
            let read = line
                .split_once(' ')
                .filter(|(path, _)| path.starts_with('/'))
                .map(|(path, kinds)| (path, kinds.split('|').map(str::trim)));
            let Some((path, kinds)) = read else {
                return Err(format!(
                    "'{line}' is not a path with a type, such as \"/job_id text\""
                ));
            };
            let kinds: BTreeSet<_> = kinds.map(str::to_owned).collect();
            if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
                return Err(format!(
                    "unknown type '{unknown}' in '{line}'; expected one of {}",
                    KINDS.join(", ")
                ));
            }
            shape.insert(path.to_owned(), kinds);
        }
        Ok(Self(shape))
    }
}

impl From<Shape> for Vec<String> {
    fn from(shape: Shape) -> Self {
        let lines = shape.0.iter();
        lines.map(|(path, kinds)| line(path, kinds)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expected(lines: &[&str]) -> Shape {
        let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
        Shape::try_from(lines).unwrap()
    }

    #[test]
    fn a_response_with_the_expected_shape_has_no_differences() {
        let examples = [
            json!({"id": "a", "error": null, "jobs": [{"n": 1}]}),
            json!({"id": "b", "error": {"code": "x", "details": {"deep": [1]}}, "jobs": []}),
        ];
        let expected = expected(&[
            "/id text",
            "/error null",
            "/error/code text",
            "/error/details any",
            "/jobs list",
            "/jobs/*/n number",
        ]);
        assert_eq!(Shape::from_examples(&examples).differences(&expected), None);
    }

    #[test]
    fn every_difference_is_listed() {
        let response = json!({"id": 7, "secret": "s"});
        let expected = expected(&["/id text", "/state text"]);
        let differences = Shape::from_examples([&response])
            .differences(&expected)
            .unwrap();
        assert_eq!(differences, "+ /id number\n+ /secret text\n- /state text");
    }

    #[test]
    fn the_error_for_an_invalid_line_shows_an_example() {
        for (line, expected) in [
            ("job_id text", "is not a path"),
            ("/job_id", "such as"),
            ("/job_id string", "'string'"),
        ] {
            let error = Shape::try_from(vec![line.to_owned()]).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
