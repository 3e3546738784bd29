//! Where a secret comes from: a variable, a file, a program; never the target file itself.

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

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Value")]
#[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
pub enum SecretSource {
    /// `{ env = "NAME" }`.
    Variable(String),
    /// `{ file = "path" }`; blanks at its end do not belong to the secret.
    File(PathBuf),
    /// `{ command = ["op", "read", "op://vault/item"] }`; so does what it writes.
    Command(Vec<String>),
}

/// A secret that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or empty.
    #[error("read the secret for '{key}': variable {name} is not set; set it, or name another")]
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
    /// The program cannot be run.
    #[error("run '{program}' for the secret of '{key}'")]
    NotRun {
        /// The key of the target.
        key: String,
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The program failed, or wrote nothing.
    #[error("run '{program}' for the secret of '{key}': {how}; run it by hand to see why")]
    Nothing {
        /// The key of the target.
        key: String,
        /// The program.
        program: String,
        /// How it ended.
        how: String,
    },
}

/// What a person calls it; never the secret.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Command(words) => write!(f, "what `{}` writes", words.join(" ")),
        }
    }
}

impl SecretSource {
    /// The secret itself; `key` is what errors call it.
    ///
    /// The redactor learns it before anybody else has it.
    ///
    /// # Errors
    /// Where it cannot be had.
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
            return Err(SecretError::NotRun {
                key,
                program,
                source,
            });
        }
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let text = text.trim_end();
    if !output.status.success() || text.is_empty() {
        let how = if output.status.success() {
            "it wrote nothing".to_owned()
        } else {
            output.status.to_string()
        };
        return Err(SecretError::Nothing { key, program, how });
    }
    Ok(Secret::new(text))
}

impl TryFrom<Value> for SecretSource {
    type Error = Refused;

    fn try_from(value: Value) -> Result<Self, Refused> {
        let Value::Table(table) = value else {
            return Err(Refused::InClear);
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
                    .ok_or(Refused::Unknown)
            }
            _ => Err(Refused::Unknown),
        }
    }
}

/// Why a value is no source of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is the secret itself.
    InClear,
    /// It is something else.
    Unknown,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InClear => {
                "a secret stands in the target file in clear; say where it comes from: \
                 { env = \"NAME\" }, { file = \"path\" } or { command = [\"program\", \"argument\"] }"
            }
            Self::Unknown => {
                "a secret comes from { env = \"NAME\" }, { file = \"path\" } or { command = [\"program\", \"argument\"] }"
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
    fn a_literal_is_refused_with_the_remedy_and_without_itself() {
        let error = source("\"hunter2-hunter2\"").unwrap_err();
        assert!(error.message().contains("in clear") && error.message().contains("env"));
        assert!(!error.message().contains("hunter2"));
    }

    #[test]
    fn a_file_and_a_program_give_what_they_hold_without_the_last_newline() {
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
    fn what_cannot_be_had_is_named_with_its_key() {
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
                source(text).unwrap_err().message().contains("comes from"),
                "{text}"
            );
        }
    }
}
