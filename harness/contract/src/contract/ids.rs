//! The derivation of document and chunk ids: UUIDs of a name, or random.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The derivation of document and chunk ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    /// The namespace of the version 5 UUIDs.
    #[schemars(with = "String")]
    pub namespace: Uuid,
    /// The name of a document, from `{user_id}` and `{file_sha256}`, or `random`.
    pub document: Derivation,
    /// The name of a chunk, from `{document_id}`, `{chunker_name}`, `{chunker_version}` and
    /// `{chunk_ord}`, or `random`.
    pub chunk: Derivation,
}

/// The derivation of one kind of id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Derivation {
    /// The id is random.
    Random,
    /// The id is a version 5 UUID of the name from this template.
    Name(String),
}

impl Derivation {
    /// The value of random ids in a file.
    const RANDOM: &str = "random";

    /// The template of the name, unless the id is random.
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
