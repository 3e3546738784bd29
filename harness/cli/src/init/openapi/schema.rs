//! The fields of a JSON schema.

use serde_json::Value;

use crate::init::leaves::{Kind, Leaf, MAX_DEPTH, field_pointer};

/// Every field of a schema, parents before children. Of alternatives, the fields of all are listed.
pub(super) fn schema_leaves(document: &Value, schema: &Value) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    collect(document, schema, "", &mut leaves, 0);
    leaves
}

fn collect(document: &Value, schema: &Value, pointer: &str, leaves: &mut Vec<Leaf>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let schema = resolved(document, schema);
    let parts = alternatives(schema);
    if !pointer.is_empty() && !leaves.iter().any(|leaf| leaf.pointer == pointer) {
        let mut leaf = Leaf::new(pointer, kind(document, schema));
        leaf.words = words(document, schema);
        leaves.push(leaf);
    }
    for part in parts {
        collect(document, part, pointer, leaves, depth + 1);
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        collect(
            document,
            property,
            &field_pointer(pointer, name),
            leaves,
            depth + 1,
        );
    }
    if let Some(items) = schema.get("items") {
        collect(document, items, &format!("{pointer}/*"), leaves, depth + 1);
    }
}

/// The schemas that a schema is composed of.
fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    let keys = ["allOf", "anyOf", "oneOf"].into_iter();
    let lists = keys.filter_map(|key| schema.get(key)?.as_array());
    lists.flatten()
}

/// The type of a schema, or of the first of its alternatives that has one.
fn kind(document: &Value, schema: &Value) -> Kind {
    let types = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name.as_str()],
        _ => Vec::new(),
    };
    let named = types.into_iter().find_map(|name| match name {
        "string" => Some(Kind::Text),
        "integer" | "number" => Some(Kind::Number),
        "boolean" => Some(Kind::Bool),
        "array" => Some(Kind::List),
        "object" => Some(Kind::Object),
        _ => None,
    });
    named
        .or_else(|| {
            let mut kinds =
                alternatives(schema).map(|part| kind(document, resolved(document, part)));
            kinds.find(|kind| *kind != Kind::Unknown)
        })
        .or_else(|| schema.get("properties").map(|_| Kind::Object))
        .unwrap_or(Kind::Unknown)
}

/// The words that a schema allows.
fn words(document: &Value, schema: &Value) -> Vec<String> {
    let listed = schema.get("enum").and_then(Value::as_array);
    let listed = listed
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    let parts = alternatives(schema).flat_map(|part| words(document, resolved(document, part)));
    listed.chain(parts).collect()
}

/// The value that a `$ref` leads to, or the value itself.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let target = reference.and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    target.unwrap_or(value)
}
