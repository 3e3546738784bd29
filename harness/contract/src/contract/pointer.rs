//! A JSON pointer to a field that a target may not have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use cutover_evidence::stop::{CheckResult, Stop};

/// A JSON pointer to a field, or `none` if the target does not have the field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Pointer(Option<String>);

impl Pointer {
    /// The value in a file for a field that the target does not have.
    const NONE: &str = "none";

    /// A pointer to this path.
    pub(super) fn to(path: &str) -> Self {
        Self(Some(path.to_owned()))
    }

    /// The value of the field, including `null`.
    pub fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(self.0.as_deref()?)
    }

    /// Sets the field, and creates missing objects on the path; does nothing for `none`.
    ///
    /// Every segment is a field name, even a number: requests have no arrays.
    pub fn put(&self, document: &mut Value, value: impl Into<Value>) {
        let Some(pointer) = &self.0 else { return };
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
        let (parent, field) = self.0.as_deref()?.rsplit_once('/')?;
        let parent = document.pointer_mut(parent)?.as_object_mut()?;
        parent.remove(&unescaped(field))
    }

    /// Whether the target has the field.
    pub fn is_given(&self) -> bool {
        self.0.is_some()
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
        self.0.as_deref().unwrap_or(Self::NONE)
    }

    /// Whether the two fields are equal or nested, so that they cannot both be set.
    pub(super) fn clashes(&self, other: &Self) -> bool {
        let (Some(one), Some(other)) = (&self.0, &other.0) else {
            return false;
        };
        let is_within = |inner: &str, outer: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        is_within(one, other) || is_within(other, one)
    }
}

/// The field name of a pointer segment.
fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            Self::NONE => Ok(Self(None)),
            pointer if pointer.starts_with('/') => Ok(Self(Some(text))),
            _ => Err(format!(
                "'{text}' is neither a JSON pointer such as \"/job_id\" nor \"none\""
            )),
        }
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.as_str().to_owned()
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
