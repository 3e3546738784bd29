//! A secret text: no `Display`, a masked `Debug`, and explicit access only.
//!
//! Unlike `secrecy::SecretString`, it is shared without copies of the text.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer};

/// The replacement of a secret.
pub const MASK: &str = "[masked]";

/// A secret text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// A new secret of 32 random bytes, in hex.
    pub fn random() -> Self {
        Self::new(hex::encode(rand::random::<[u8; 32]>()))
    }

    /// The text, for the code that must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Serializes the secret itself, for a file that only its owner can read.
///
/// Use it as `#[serde(serialize_with = "secret::exposed")]`. A secret does not
/// implement `Serialize`, so that it is not written by accident.
pub fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}
