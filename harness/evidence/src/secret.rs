//! A text that is never shown: no `Display`, a masked `Debug`, and only deliberate ways out.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serializer};

/// What stands where a secret was.
pub const MASK: &str = "[masked]";

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Keeps a text secret.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// A fresh secret of 32 random bytes, in hex.
    pub fn random() -> Self {
        Self::new(hex::encode(rand::random::<[u8; 32]>()))
    }

    /// The text, for the one place that must send it.
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

/// Writes the secret itself: only for a file that its owner alone can read.
///
/// Use as `#[serde(serialize_with = "secret::exposed")]`; a secret has no
/// `Serialize` of its own, so that nothing writes one by accident.
pub fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}
