//! The secrets of one stack, by name: random, and valid only in that stack.

use std::collections::BTreeMap;

use cutover_evidence::secret::{Secret, exposed};
use serde::{Deserialize, Serialize, Serializer};

/// The database URL of the superuser, as this process connects.
pub const DATABASE_URL: &str = "database url of the superuser";
/// The database URL of the superuser, as the services of the stack connect.
pub const INTERNAL_DATABASE_URL: &str = "database url of the superuser, inside of the stack";
/// The password of the superuser.
pub const DATABASE_PASSWORD: &str = "database password of the superuser";
/// The database URL of the role of the services, as they connect.
pub const APP_DATABASE_URL: &str = "database url of the services";
/// The password of the role of the services.
pub const APP_DATABASE_PASSWORD: &str = "database password of the services";

/// The secrets of one stack, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credentials(BTreeMap<String, Exposed>);

/// A secret that is serialised in clear, into a file that only its owner can read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Exposed(Secret);

impl Serialize for Exposed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        exposed(&self.0, serializer)
    }
}

/// A stack without a required secret.
#[derive(Debug, thiserror::Error)]
#[error("find the secret '{0}' of the stack")]
pub struct MissingSecret(String);

impl Credentials {
    /// Adds a secret, or replaces the one with this name.
    pub fn insert(&mut self, name: &str, secret: Secret) {
        self.0.insert(name.to_owned(), Exposed(secret));
    }

    /// Adds all secrets of another set.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The secret with this name.
    ///
    /// # Errors
    /// If the stack has no such secret.
    pub fn get(&self, name: &str) -> Result<&Secret, MissingSecret> {
        let found = self.0.get(name).map(|Exposed(secret)| secret);
        found.ok_or_else(|| MissingSecret(name.to_owned()))
    }

    /// Every secret with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0
            .iter()
            .map(|(name, Exposed(secret))| (name.as_str(), secret))
    }
}

impl<const N: usize> From<[(&str, Secret); N]> for Credentials {
    fn from(secrets: [(&str, Secret); N]) -> Self {
        let mut credentials = Self::default();
        for (name, secret) in secrets {
            credentials.insert(name, secret);
        }
        credentials
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_serialised_but_not_printed() {
        let credentials = Credentials::from([("key of the parser", Secret::new("llx-12345678"))]);
        let text = serde_json::to_string(&credentials).expect("JSON");
        assert_eq!(text, r#"{"key of the parser":"llx-12345678"}"#);
        let read: Credentials = serde_json::from_str(&text).expect("credentials");
        assert_eq!(read, credentials);
        assert!(!format!("{read:?}").contains("12345678"));
        let error = read.get("key of the embedder").expect_err("no such secret");
        assert!(error.to_string().contains("key of the embedder"), "{error}");
    }
}
