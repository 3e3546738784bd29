//! Which field of an answer is which, by its value first and by its name otherwise.

use uuid::Uuid;

use crate::init::draft::{Certainty, Draft};
use crate::init::field_names::find_fields;
use crate::init::leaves::Leaf;

/// A value that is known, with the key of its field.
pub(super) struct Known<'a> {
    pub(super) key: &'static str,
    pub(super) value: &'a str,
}

/// Sets the pointers of a table by names and known values; returns a line about what was found.
pub(super) fn set_answer_fields(
    table: &str,
    leaves: &[Leaf],
    known: &[Known<'_>],
    draft: &mut Draft,
) -> String {
    let mut shown = Vec::new();
    for (key, pointer) in find_fields(table, leaves) {
        let known = known
            .iter()
            .find(|known| known.key == key)
            .map(|known| known.value);
        let by_value = known.and_then(|value| equal_leaf(table, leaves, value, draft));
        match (by_value, pointer) {
            (Some(pointer), _) => {
                shown.push(format!("{key}={pointer}"));
                draft.set(
                    table,
                    key,
                    pointer,
                    Certainty::Seen,
                    "has the value of this document",
                );
            }
            (None, Some(pointer)) => {
                shown.push(format!("{key}={pointer}?"));
                draft.set(
                    table,
                    key,
                    pointer,
                    Certainty::Guess,
                    "named so in the answer",
                );
            }
            (None, None) => draft.set(table, key, "none", Certainty::Guess, "not in the answer"),
        }
    }
    shown.join(", ")
}

/// The pointer of the leaf with a value; relative to one result in a search.
fn equal_leaf(table: &str, leaves: &[Leaf], value: &str, draft: &Draft) -> Option<String> {
    let base = match draft.text("fields.search", "results") {
        Some(results) if table == "fields.search" => format!("{results}/*"),
        _ => String::new(),
    };
    let is_equal = |leaf: &&Leaf| match &leaf.value {
        Some(serde_json::Value::Number(number)) => number.to_string() == value,
        _ => leaf.text() == Some(value),
    };
    let mut equal = leaves.iter().filter(is_equal);
    equal.find_map(|leaf| leaf.pointer.strip_prefix(&base).map(str::to_owned))
}

/// The ids in an answer: the pointer and the value of every UUID.
pub(super) fn uuids(leaves: &[Leaf]) -> impl Iterator<Item = (&str, Uuid)> {
    leaves
        .iter()
        .filter_map(|leaf| Some((leaf.pointer.as_str(), leaf.text()?.parse().ok()?)))
}

/// The text at the pointer of a field in an answer.
pub(super) fn field_text<'a>(
    draft: &Draft,
    table: &str,
    key: &str,
    leaves: &'a [Leaf],
) -> Option<&'a str> {
    let pointer = draft.text(table, key)?;
    leaves.iter().find(|leaf| leaf.pointer == pointer)?.text()
}
