//! A JSON pointer to a field that a target may not have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use cutover_evidence::stop::{CheckResult, Stop};

/// A JSON pointer to a field, or `none` if the target does not have the field. A list of
/// pointers means the first one that has a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "PointerText", into = "PointerText")]
#[schemars(with = "PointerText")]
pub struct Pointer(Vec<String>);

/// One pointer or several, as in a file.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum PointerText {
    One(String),
    Several(Vec<String>),
}

impl Pointer {
    /// The value in a file for a field that the target does not have.
    const NONE: &str = "none";

    /// The value of the field, including `null`: the first one that is not `null`, or else the first.
    pub fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        let mut found = self.0.iter().filter_map(|at| document.pointer(at));
        let first = found.next()?;
        Some(if first.is_null() {
            found.find(|value| !value.is_null()).unwrap_or(first)
        } else {
            first
        })
    }

    /// The text of the field. Of a list or an object, it is the joined texts of its messages:
    /// `{"detail": [{"msg": "a"}, {"msg": "b"}]}` gives `a; b`.
    pub fn find_text(&self, document: &Value) -> Option<String> {
        let text = message_of(self.find(document)?);
        (!text.trim().is_empty()).then_some(text)
    }

    /// Sets the field, and creates missing objects on the path; does nothing for `none`.
    ///
    /// Every segment is a field name, even a number: requests have no arrays.
    pub fn put(&self, document: &mut Value, value: impl Into<Value>) {
        let Some(pointer) = self.0.first() else {
            return;
        };
        let mut target = document;
        for segment in pointer.split('/').skip(1) {
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            target = &mut target[unescaped(segment)];
        }
        *target = value.into();
    }

    /// Removes the field and returns its value.
    pub fn remove(&self, document: &mut Value) -> Option<Value> {
        let (parent, field) = self.0.first()?.rsplit_once('/')?;
        let parent = document.pointer_mut(parent)?.as_object_mut()?;
        parent.remove(&unescaped(field))
    }

    /// Whether the target has the field.
    pub fn is_given(&self) -> bool {
        !self.0.is_empty()
    }

    /// Skips the check if the target does not have the field; `what` describes it.
    pub fn applies(&self, what: &str) -> CheckResult {
        if self.is_given() {
            return Ok(());
        }
        let reason = format!("the contract declares no field for {what}");
        Err(Stop::not_applicable(reason))
    }

    /// The text of the pointer in a contract file.
    pub fn as_str(&self) -> &str {
        self.0.first().map_or(Self::NONE, String::as_str)
    }

    /// Whether the two fields are equal or nested, so that they cannot both be set.
    pub(super) fn clashes(&self, other: &Self) -> bool {
        let is_within = |inner: &str, outer: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mut pairs = self
            .0
            .iter()
            .flat_map(|one| other.0.iter().map(move |other| (one, other)));
        pairs.any(|(one, other)| is_within(one, other) || is_within(other, one))
    }
}

/// The field name of a pointer segment.
fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

/// The words of a message, however deep they are.
fn message_of(value: &Value) -> String {
    const WORDS: [&str; 4] = ["msg", "message", "detail", "error"];
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts: Vec<_> = items.iter().map(message_of).collect();
            texts.join("; ")
        }
        Value::Object(fields) => {
            let mut known = WORDS.into_iter().filter_map(|word| fields.get(word));
            known.next().map_or_else(|| value.to_string(), message_of)
        }
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            Self::NONE => Ok(Self(Vec::new())),
            pointer if pointer.starts_with('/') => Ok(Self(vec![text])),
            _ => Err(format!(
                "'{text}' is neither a JSON pointer such as \"/job_id\" nor \"none\""
            )),
        }
    }
}

impl TryFrom<PointerText> for Pointer {
    type Error = String;

    fn try_from(text: PointerText) -> Result<Self, String> {
        let several = match text {
            PointerText::One(text) => return text.try_into(),
            PointerText::Several(several) => several,
        };
        let wrong = several.iter().find(|text| !text.starts_with('/'));
        match (wrong, several.is_empty()) {
            (Some(wrong), _) => Err(format!(
                "'{wrong}' in a list of JSON pointers is not a JSON pointer such as \"/job_id\""
            )),
            (None, true) => Err("a list of JSON pointers is empty; write \"none\"".to_owned()),
            (None, false) => Ok(Self(several)),
        }
    }
}

impl From<Pointer> for PointerText {
    fn from(Pointer(mut texts): Pointer) -> Self {
        match texts.len() {
            0 => Self::One(Pointer::NONE.to_owned()),
            1 => Self::One(texts.remove(0)),
            _ => Self::Several(texts),
        }
    }
}

/// Declares a struct of pointers.
macro_rules! pointers {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $field_doc:literal])+ $field:ident,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $field_doc])+ pub $field: Pointer,)+
        }
    };
}
pub(super) use pointers;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointer(text: &str) -> Pointer {
        Pointer::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_pointer_finds_a_value_or_nothing() {
        let document = json!({"progress": {"total_pct": 5}});
        let found = pointer("/progress/total_pct");
        assert_eq!(found.find(&document), Some(&json!(5)));
        assert_eq!(pointer("/progress/other").find(&document), None);
        assert_eq!(pointer("none").find(&document), None);
        let refused = Pointer::try_from("progress".to_owned()).unwrap_err();
        assert!(refused.contains("neither a JSON pointer"));
    }

    #[test]
    fn a_field_can_be_set_and_removed() {
        let mut document = Value::Null;
        for (path, value) in [
            ("/file/name", 1),
            ("/file/a~1b~0c", 2),
            ("/0", 3),
            ("none", 4),
        ] {
            pointer(path).put(&mut document, value);
        }
        assert_eq!(document, json!({"file": {"name": 1, "a/b~c": 2}, "0": 3}));
        assert_eq!(pointer("/file/a~1b~0c").find(&document), Some(&json!(2)));
        assert_eq!(
            pointer("/file/a~1b~0c").remove(&mut document),
            Some(json!(2))
        );
        assert_eq!(pointer("/file/name/x").remove(&mut document), None);
        assert_eq!(pointer("none").remove(&mut document), None);
        assert_eq!(document, json!({"file": {"name": 1}, "0": 3}));
    }

    #[test]
    fn a_list_of_pointers_means_the_first_that_has_a_value() {
        let several = vec!["/a/message".to_owned(), "/b".to_owned()];
        let several = Pointer::try_from(PointerText::Several(several)).unwrap();
        let found = |document: Value| several.find(&document).cloned();
        assert_eq!(found(json!({"b": 2})), Some(json!(2)));
        assert_eq!(found(json!({"a": {"message": 1}, "b": 2})), Some(json!(1)));
        let null = json!({"a": {"message": null}, "b": 2});
        assert_eq!(found(null), Some(json!(2)));
        assert_eq!(found(json!({"b": null})), Some(Value::Null));
        assert_eq!(found(json!({})), None);
        let wrong = PointerText::Several(vec!["none".to_owned()]);
        assert!(Pointer::try_from(wrong).is_err());
    }

    #[test]
    fn the_text_of_a_list_is_its_joined_messages() {
        let detail = json!({"detail": [{"loc": ["body"], "msg": "field required"}, {"msg": "b"}]});
        let text = pointer("/detail").find_text(&detail);
        assert_eq!(text.as_deref(), Some("field required; b"));
        assert_eq!(pointer("/detail").find_text(&json!({"detail": []})), None);
    }

    #[test]
    fn equal_and_nested_fields_clash() {
        let clash = |one: &str, other: &str| pointer(one).clashes(&pointer(other));
        assert!(clash("/file", "/file"));
        assert!(clash("/file", "/file/name"));
        assert!(!clash("/file", "/filename"));
        assert!(!clash("none", "none"));
    }

    #[test]
    fn a_check_is_skipped_if_the_target_does_not_have_the_field() {
        assert!(pointer("/a").applies("a").is_ok());
        let Err(Stop::Skip { reason, .. }) = pointer("none").applies("a hash") else {
            panic!("expected a skip")
        };
        assert!(reason.ends_with("no field for a hash"), "{reason}");
    }
}
