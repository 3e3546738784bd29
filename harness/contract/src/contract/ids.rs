//! What ids are made of, or that nobody can tell before they are given.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What ids are made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    /// The namespace of the version 5 UUIDs.
    #[schemars(with = "String")]
    pub namespace: Uuid,
    /// The name of a document, of `{user_id}` and `{file_sha256}`, or `random`.
    pub document: Derivation,
    /// The name of a chunk, of `{document_id}`, `{chunker_name}`, `{chunker_version}` and
    /// `{chunk_ord}`, or `random`.
    pub chunk: Derivation,
}

/// How an id comes about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Derivation {
    /// Nobody can tell before it is given.
    Random,
    /// It is a version 5 UUID of the name that this template gives.
    Name(String),
}

impl Derivation {
    /// What stands in a file for ids that cannot be derived.
    const RANDOM: &str = "random";

    /// The template of the name, where there is one.
    pub(super) fn template(&self) -> Option<&str> {
        match self {
            Self::Random => None,
            Self::Name(template) => Some(template),
        }
    }
}

impl From<String> for Derivation {
    fn from(text: String) -> Self {
        if text == Self::RANDOM {
            Self::Random
        } else {
            Self::Name(text)
        }
    }
}

impl From<Derivation> for String {
    fn from(derivation: Derivation) -> Self {
        match derivation {
            Derivation::Random => Derivation::RANDOM.to_owned(),
            Derivation::Name(template) => template,
        }
    }
}
