//! A place in a JSON document, to read from and to write to, or that there is none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use cutover_evidence::stop::{CheckResult, Stop};

/// Where a value is in a JSON document: a JSON pointer, or `none` where a target does not have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Pointer(Option<String>);

impl Pointer {
    /// What stands in a file for a value that a target does not have.
    const NOWHERE: &str = "none";

    /// The value there, `null` included.
    pub fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(self.0.as_deref()?)
    }

    /// Puts a value there, with the objects that lead to it; nothing where there is no place.
    ///
    /// Every step names a field, also one that is a number: a request has no lists.
    pub fn put(&self, document: &mut Value, value: impl Into<Value>) {
        let Some(pointer) = &self.0 else { return };
        let mut place = document;
        for step in pointer.split('/').skip(1) {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            place = &mut place[unescaped(step)];
        }
        *place = value.into();
    }

    /// Takes the value away that is there.
    pub fn remove(&self, document: &mut Value) -> Option<Value> {
        let (parent, field) = self.0.as_deref()?.rsplit_once('/')?;
        let parent = document.pointer_mut(parent)?.as_object_mut()?;
        parent.remove(&unescaped(field))
    }

    /// Whether the target has the value at all.
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// A question about the value does not apply where the target does not have it.
    pub fn applies(&self, what: &str) -> CheckResult {
        if self.is_given() {
            return Ok(());
        }
        let reason = format!("the contract says that this target is not told {what}");
        Err(Stop::not_applicable(reason))
    }

    /// The pointer as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or(Self::NOWHERE)
    }

    /// Whether one of the two is at the other or below it, so that not both can be written.
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

/// A field's name, as a step of a pointer writes it.
fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            Self::NOWHERE => Ok(Self(None)),
            pointer if pointer.starts_with('/') => Ok(Self(Some(text))),
            _ => Err(format!(
                "'{text}' is no JSON pointer such as \"/job_id\", nor \"none\""
            )),
        }
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.as_str().to_owned()
    }
}

/// Declares a table of pointers: a struct whose every field is one.
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
    fn a_pointer_finds_or_is_nowhere() {
        let document = json!({"progress": {"total_pct": 5}});
        let found = pointer("/progress/total_pct");
        assert_eq!(found.find(&document), Some(&json!(5)));
        assert_eq!(pointer("/progress/other").find(&document), None);
        assert_eq!(pointer("none").find(&document), None);
        let refused = Pointer::try_from("progress".to_owned()).unwrap_err();
        assert!(refused.contains("no JSON pointer"));
    }

    #[test]
    fn what_is_put_is_found_and_what_is_removed_is_not() {
        let mut document = Value::Null;
        for (place, value) in [
            ("/file/name", 1),
            ("/file/a~1b~0c", 2),
            ("/0", 3),
            ("none", 4),
        ] {
            pointer(place).put(&mut document, value);
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
    fn places_within_each_other_clash() {
        let clash = |one: &str, other: &str| pointer(one).clashes(&pointer(other));
        assert!(clash("/file", "/file"));
        assert!(clash("/file", "/file/name"));
        assert!(!clash("/file", "/filename"));
        assert!(!clash("none", "none"));
    }

    #[test]
    fn a_question_about_what_a_target_is_not_told_does_not_apply() {
        assert!(pointer("/a").applies("a").is_ok());
        let Err(Stop::Skip { reason, .. }) = pointer("none").applies("a hash") else {
            panic!("expected a skip")
        };
        assert!(reason.ends_with("is not told a hash"), "{reason}");
    }
}
