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

/// The query with its ids as literals, and the other parameters.
///
/// A literal has the type of the column that it is compared with: ids may be stored as texts.
pub(super) fn with_literal_ids<'a>(
    sql: &str,
    parameters: &'a [Parameter],
) -> (String, Vec<&'a Parameter>) {
    let (mut result, mut bound) = (String::new(), Vec::new());
    let mut places = Vec::new();
    for parameter in parameters {
        places.push(match parameter {
            Parameter::Uuid(_) | Parameter::Uuids(Some(_)) => format!("'{parameter}'"),
            Parameter::Uuids(None) => "NULL".to_owned(),
            Parameter::Text(_) | Parameter::Number(_) | Parameter::Json(_) => {
                bound.push(parameter);
                format!("${}", bound.len())
            }
        });
    }
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once('$') {
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: Option<usize> = after[..digits].parse().ok();
        let place = number.and_then(|number| places.get(number.checked_sub(1)?));
        result.push_str(before);
        match place {
            Some(place) => result.push_str(place),
            None => result.push_str(&rest[before.len()..=before.len() + digits]),
        }
        rest = &after[digits..];
    }
    (result + rest, bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_literals_and_other_parameters_are_renumbered() {
        let id = Uuid::nil();
        let parameters = [id.into(), "text".into(), Parameter::Uuids(None), 7.into()];
        let (sql, bound) = with_literal_ids(
            "a = $1 AND b = $2 OR $3 OR $4 OR $1 OR '$' OR $9",
            &parameters,
        );
        let expected = format!("a = '{id}' AND b = $1 OR NULL OR $2 OR '{id}' OR '$' OR $9");
        assert_eq!(sql, expected);
        assert_eq!(bound, [&parameters[1], &parameters[3]]);
    }
}
