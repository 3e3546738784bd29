//! Sources of secrets: an environment variable, a file or a command, never the target file itself.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Value;

use cutover_evidence::redact::Redactor;
use cutover_evidence::secret::Secret;

/// The source of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Value")]
#[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
pub enum SecretSource {
    /// `{ env = "NAME" }`.
    Variable(String),
    /// `{ file = "path" }`. White space at the end is removed.
    File(PathBuf),
    /// `{ command = ["op", "read", "op://vault/item"] }`. White space at the end of its output is removed.
    Command(Vec<String>),
}

/// A secret that cannot be resolved.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set or empty.
    #[error(
        "read the secret for '{key}': variable {name} is not set; set it, or use another source"
    )]
    Unset {
        /// The key of the target.
        key: String,
        /// The variable.
        name: String,
    },
    /// The file cannot be read.
    #[error("read the secret for '{key}' from '{}'", path.display())]
    Unreadable {
        /// The key of the target.
        key: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The command cannot be started.
    #[error("run '{program}' for the secret of '{key}'")]
    NotStarted {
        /// The key of the target.
        key: String,
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The command failed, or its output is empty.
    #[error("run '{program}' for the secret of '{key}': {reason}; run it by hand to see why")]
    Failed {
        /// The key of the target.
        key: String,
        /// The program.
        program: String,
        /// The reason.
        reason: String,
    },
}

/// The source in words, never the secret.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Command(words) => write!(f, "output of `{}`", words.join(" ")),
        }
    }
}

impl SecretSource {
    /// Resolves the secret. `key` names it in errors.
    ///
    /// The redactor learns it before it is returned.
    ///
    /// # Errors
    /// Where it cannot be resolved.
    pub fn resolve(&self, key: &str, redactor: &Redactor) -> Result<Secret, SecretError> {
        let secret = self.read(key.to_owned())?;
        redactor.learn_named(key, &secret);
        Ok(secret)
    }

    fn read(&self, key: String) -> Result<Secret, SecretError> {
        match self {
            Self::Variable(name) => match std::env::var(name) {
                Ok(text) if !text.is_empty() => Ok(Secret::new(text)),
                Ok(_) | Err(_) => Err(SecretError::Unset {
                    key,
                    name: name.clone(),
                }),
            },
            Self::File(path) => match fs::read_to_string(path) {
                Ok(text) => Ok(Secret::new(text.trim_end())),
                Err(source) => Err(SecretError::Unreadable {
                    key,
                    path: path.clone(),
                    source,
                }),
            },
            Self::Command(words) => run(words, key),
        }
    }
}

fn run(words: &[String], key: String) -> Result<Secret, SecretError> {
    let program = words.first().cloned().unwrap_or_default();
    let output = Command::new(&program)
        .args(&words[1..])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(source) => {
            return Err(SecretError::NotStarted {
                key,
                program,
                source,
            });
        }
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let text = text.trim_end();
    if !output.status.success() || text.is_empty() {
        let reason = if output.status.success() {
            "its output is empty".to_owned()
        } else {
            output.status.to_string()
        };
        return Err(SecretError::Failed {
            key,
            program,
            reason,
        });
    }
    Ok(Secret::new(text))
}

impl TryFrom<Value> for SecretSource {
    type Error = InvalidSecretSource;

    fn try_from(value: Value) -> Result<Self, InvalidSecretSource> {
        let Value::Table(table) = value else {
            return Err(InvalidSecretSource::PlainText);
        };
        let mut entries = table.into_iter();
        match (entries.next(), entries.next()) {
            (Some((kind, Value::String(name))), None) if kind == "env" => Ok(Self::Variable(name)),
            (Some((kind, Value::String(path))), None) if kind == "file" => {
                Ok(Self::File(path.into()))
            }
            (Some((kind, Value::Array(words))), None) if kind == "command" => {
                let words: Option<Vec<_>> = words
                    .iter()
                    .map(|word| word.as_str().map(str::to_owned))
                    .collect();
                words
                    .filter(|words| !words.is_empty())
                    .map(Self::Command)
                    .ok_or(InvalidSecretSource::UnknownForm)
            }
            _ => Err(InvalidSecretSource::UnknownForm),
        }
    }
}

/// Why a value is not a source of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidSecretSource {
    /// It is the secret itself.
    PlainText,
    /// It has another form.
    UnknownForm,
}

impl fmt::Display for InvalidSecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PlainText => {
                "the target file contains a secret in plain text; name its source instead: \
                 { env = \"NAME\" }, { file = \"path\" } or { command = [\"program\", \"argument\"] }"
            }
            Self::UnknownForm => {
                "the source of a secret must be { env = \"NAME\" }, { file = \"path\" } or { command = [\"program\", \"argument\"] }"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        key: SecretSource,
    }

    fn source(text: &str) -> Result<SecretSource, toml::de::Error> {
        toml::from_str::<Holder>(&format!("key = {text}")).map(|holder| holder.key)
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_repeated_in_the_error() {
        let error = source("\"hunter2-hunter2\"").unwrap_err();
        assert!(error.message().contains("in plain text") && error.message().contains("env"));
        assert!(!error.message().contains("hunter2"));
    }

    #[test]
    fn files_and_commands_give_their_content_without_the_last_newline() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs::write(&path, "from a file\n").unwrap();
        let file = SecretSource::File(path)
            .resolve("x", &Redactor::default())
            .unwrap();
        assert_eq!(file.expose(), "from a file");
        let program = source("{ command = [\"echo\", \"from a program\"] }").unwrap();
        assert_eq!(
            program.resolve("x", &Redactor::default()).unwrap().expose(),
            "from a program"
        );
    }

    #[test]
    fn an_error_names_the_key_of_the_secret() {
        for text in [
            "{ env = \"CUTOVER_NO_SUCH_VARIABLE\" }",
            "{ file = \"/does/not/exist\" }",
            "{ command = [\"false\"] }",
            "{ command = [\"/does/not/exist\"] }",
        ] {
            let error = source(text)
                .unwrap()
                .resolve("database.url", &Redactor::default())
                .unwrap_err();
            assert!(error.to_string().contains("database.url"), "{error}");
        }
    }

    #[test]
    fn other_tables_are_refused() {
        for text in ["{ vault = \"x\" }", "{ env = 1 }", "{ command = [] }", "{}"] {
            assert!(
                source(text)
                    .unwrap_err()
                    .message()
                    .contains("the source of a secret"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_redactor_knows_a_secret_from_the_moment_it_is_resolved() {
        let redactor = Redactor::default();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs::write(&path, "postgres://reader:pw@db/app\n").unwrap();
        let secret = SecretSource::File(path);
        let secret = secret.resolve("database.url", &redactor).unwrap();
        assert!(redactor.reveals("connect to postgres://reader:pw@db/app"));
        let named = [("database.url".to_owned(), secret)];
        assert_eq!(redactor.named_secrets(), named);
    }
}
