//! Query parameters, and their text in the evidence.

use std::fmt;

use serde_json::Value;
use uuid::Uuid;

/// A query parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// An id.
    Uuid(Uuid),
    /// A list of ids, or `NULL`.
    Uuids(Option<Vec<Uuid>>),
    /// A text.
    Text(String),
    /// An integer.
    Number(i64),
    /// A `jsonb`.
    Json(Value),
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(id) => id.fmt(f),
            Self::Uuids(None) => f.write_str("NULL"),
            Self::Uuids(Some(ids)) => {
                let ids: Vec<_> = ids.iter().map(Uuid::to_string).collect();
                write!(f, "{{{}}}", ids.join(","))
            }
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Json(value) => value.fmt(f),
        }
    }
}

impl From<Uuid> for Parameter {
    fn from(id: Uuid) -> Self {
        Self::Uuid(id)
    }
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Parameter {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}
