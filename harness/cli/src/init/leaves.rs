//! The values of a JSON body or of its schema: a pointer, a type, and what is known about the value.

use serde_json::Value;

/// The depth below which a body is not looked at.
pub(super) const MAX_DEPTH: usize = 6;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Bool,
    List,
    Object,
    /// Null, or a schema without a type.
    Unknown,
}

/// One value of a body. The items of a list have `*` in their pointer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    pub(super) pointer: String,
    pub(super) kind: Kind,
    /// The value, where a real body was read.
    pub(super) value: Option<Value>,
    /// The words that a schema allows.
    pub(super) words: Vec<String>,
}

impl Leaf {
    pub(super) fn new(pointer: &str, kind: Kind) -> Self {
        Self {
            pointer: pointer.to_owned(),
            kind,
            value: None,
            words: Vec::new(),
        }
    }

    /// The text of the value, where it is a text.
    pub(super) fn text(&self) -> Option<&str> {
        self.value.as_ref().and_then(Value::as_str)
    }
}

/// The pointer of a field of the object at a pointer.
pub(super) fn field_pointer(parent: &str, name: &str) -> String {
    let name = name.replace('~', "~0").replace('/', "~1");
    format!("{parent}/{name}")
}

/// Every value in a body, parents before children. Of a list only the first item is read.
pub(super) fn leaves_of(body: &Value) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    collect(body, "", &mut leaves, 0);
    leaves
}

fn collect(value: &Value, pointer: &str, leaves: &mut Vec<Leaf>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let kind = match value {
        Value::String(_) => Kind::Text,
        Value::Number(_) => Kind::Number,
        Value::Bool(_) => Kind::Bool,
        Value::Array(_) => Kind::List,
        Value::Object(_) => Kind::Object,
        Value::Null => Kind::Unknown,
    };
    if !pointer.is_empty() {
        let mut leaf = Leaf::new(pointer, kind);
        leaf.value = Some(value.clone());
        leaves.push(leaf);
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                collect(field, &field_pointer(pointer, name), leaves, depth + 1);
            }
        }
        Value::Array(items) => {
            if let Some(item) = items.first() {
                collect(item, &format!("{pointer}/*"), leaves, depth + 1);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_has_a_leaf_for_each_value() {
        let leaves = leaves_of(&json!({"a": {"b": 1}, "c": [{"d/e": "x"}, {"f": 2}]}));
        let pointers: Vec<_> = leaves.iter().map(|leaf| leaf.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a", "/a/b", "/c", "/c/*", "/c/*/d~1e"]);
        assert_eq!(leaves[4].text(), Some("x"));
    }
}
