//! Parses a contract file; an error names the line or key and the remedy.

use serde::Deserialize as _;
use toml::{Table, Value};

use super::contract::Contract;
use super::derive::bucket_of;
use super::endpoint::{Endpoint, Route};
use super::ids::Derivation;
use super::template::placeholders;

/// Why a contract is invalid.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// It is not valid TOML, or a key or value is unknown.
    #[error("read contract '{origin}': {detail}{}", suggestion(.nearest.as_deref()))]
    Malformed {
        /// The file name.
        origin: String,
        /// The line or key, and the problem.
        detail: String,
        /// The most similar known key.
        nearest: Option<String>,
    },
    /// Its values contradict each other.
    #[error("read contract '{origin}': key '{key}': {detail}")]
    Contradiction {
        /// The file name.
        origin: String,
        /// The wrong key.
        key: String,
        /// The problem and the remedy.
        detail: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| {
        format!("\ndid you mean '{nearest}'?")
    })
}

impl Contract {
    /// Parses a contract; errors name the origin, which is the file name.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ContractError> {
        let contract: Self = toml::from_str(text).map_err(|error| malformed(origin, &error))?;
        contract.consistent(origin)
    }

    /// Parses a contract with overrides of some keys; errors name the origin of the overrides.
    pub fn parse_with_overrides(
        default: &str,
        overrides: &Table,
        origin: &str,
    ) -> Result<Self, ContractError> {
        let mut table: Table = default
            .parse()
            .map_err(|error| malformed("the default contract", &error))?;
        merge(&mut table, overrides);
        let contract =
            Self::deserialize(Value::Table(table)).map_err(|error| malformed(origin, &error))?;
        contract.consistent(origin)
    }

    fn consistent(mut self, origin: &str) -> Result<Self, ContractError> {
        let registered = self.vocabulary.registered.clone();
        self.database.unset_status = self.vocabulary.unset_status.then_some(registered);
        match self.contradiction() {
            None => Ok(self),
            Some((key, detail)) => Err(ContractError::Contradiction {
                origin: origin.to_owned(),
                key,
                detail,
            }),
        }
    }

    /// The first contradictory key, and the problem.
    fn contradiction(&self) -> Option<(String, String)> {
        if let Some((key, word)) = self.vocabulary.undeclared() {
            let detail = format!(
                "'{word}' is listed in neither vocabulary.statuses nor vocabulary.states; add it"
            );
            return Some((key.to_owned(), detail));
        }
        if self.limits.hard_max_bytes < self.limits.max_bytes {
            let detail = "is less than limits.max_bytes; raise it or lower limits.max_bytes";
            return Some(("limits.hard_max_bytes".to_owned(), detail.to_owned()));
        }
        if !(1.0..=100.0).contains(&self.timing.retry_factor) {
            let detail = "is not between 1 and 100".to_owned();
            return Some(("timing.retry_factor".to_owned(), detail));
        }
        self.requests
            .contradiction()
            .or_else(|| self.statuses.contradiction())
            .or_else(|| self.undocumented.contradiction())
            .or_else(|| self.standing.contradiction())
            .or_else(|| self.callback.contradiction())
            .or_else(|| self.database.contradiction())
            .or_else(|| self.constant_id())
            .or_else(|| self.missing_bucket())
            .or_else(|| self.unknown_placeholder())
    }

    /// An id template without a placeholder, which gives every id the same value.
    fn constant_id(&self) -> Option<(String, String)> {
        let names = [
            ("ids.document", &self.ids.document),
            ("ids.chunk", &self.ids.chunk),
        ];
        let is_constant = |(_, name): &(&str, &Derivation)| {
            let template = name.template();
            template.is_some_and(|template| placeholders(template).next().is_none())
        };
        let (key, name) = names.into_iter().find(is_constant)?;
        let detail = format!(
            "'{}' has no placeholder, so all ids would be equal; add one, or write \"random\" \
             if ids cannot be derived",
            name.template().unwrap_or_default()
        );
        Some((key.to_owned(), detail))
    }

    /// A path that does not start with the fixed name of a bucket.
    fn missing_bucket(&self) -> Option<(String, String)> {
        let layout = &self.storage;
        let has_no_bucket = |(_, path): &(&str, &str)| {
            let bucket = bucket_of(path);
            bucket.is_empty() || bucket.len() == path.len() || bucket.contains('{')
        };
        let (key, path) = layout.paths().find(has_no_bucket)?;
        let detail = format!(
            "'{path}' does not start with the name of a bucket; write for example \
             \"{}/{{user_id}}/{{h}}.pdf\"",
            layout.bucket
        );
        Some((key.to_owned(), detail))
    }

    /// A template with an unknown placeholder.
    fn unknown_placeholder(&self) -> Option<(String, String)> {
        const ROUTE: &[&str] = &["prefix", "webhook_prefix", "job_id", "document_id", "token"];
        const DOCUMENT: &[&str] = &["user_id", "file_sha256"];
        const CHUNK: &[&str] = &[
            "document_id",
            "chunker_name",
            "chunker_version",
            "chunk_ord",
        ];
        const OBJECT: &[&str] = &["user_id", "document_id", "h"];
        let named = |(endpoint, route): (&Endpoint, &Route)| {
            (format!("routes.{endpoint}"), route.path.clone(), ROUTE)
        };
        let others = [
            ("ids.document", self.ids.document.template(), DOCUMENT),
            ("ids.chunk", self.ids.chunk.template(), CHUNK),
            ("storage.raw_path", Some(&*self.storage.raw_path), OBJECT),
            (
                "storage.parsed_path",
                Some(&*self.storage.parsed_path),
                OBJECT,
            ),
        ];
        let others = others.into_iter().filter_map(|(key, template, known)| {
            Some((key.to_owned(), template?.to_owned(), known))
        });
        self.routes
            .iter()
            .map(named)
            .chain(others)
            .find_map(|(key, template, known)| {
                let unknown = placeholders(&template).find(|name| !known.contains(name))?;
                let known = known.join("}, {");
                Some((
                    key,
                    format!(
                        "unknown placeholder '{{{unknown}}}'; known placeholders are {{{known}}}"
                    ),
                ))
            })
    }
}

/// Merges a table into another one, key by key; a value that is not a table replaces the old value.
fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => merge(base, over),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

fn malformed(origin: &str, error: &toml::de::Error) -> ContractError {
    ContractError::Malformed {
        origin: origin.to_owned(),
        detail: error.to_string().trim_end().to_owned(),
        nearest: nearest(error.message()),
    }
}

/// The known key that is most similar to the unknown one, from the list at the end
/// of the message: "unknown field `a`, expected one of `b`, `c`".
fn nearest(message: &str) -> Option<String> {
    const MIN_SIMILARITY: f64 = 0.8;
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let unknown = words.next()?;
    words
        .map(|known| (strsim::jaro_winkler(unknown, known), known))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = include_str!("../../../../fixtures/contracts/upload_pipeline.toml");

    impl Contract {
        /// The default contract.
        pub(crate) fn fixture() -> Self {
            Self::parse(DEFAULT, "upload_pipeline.toml").unwrap()
        }
    }

    fn error(change: impl Fn(&str) -> String) -> String {
        Contract::parse(&change(DEFAULT), "upload_pipeline.toml")
            .unwrap_err()
            .to_string()
    }

    fn override_error(overrides: &str) -> String {
        let overrides = overrides.parse().unwrap();
        Contract::parse_with_overrides(DEFAULT, &overrides, "targets/x.toml")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_default_contract_round_trips_through_toml() {
        let contract = Contract::fixture();
        let written = toml::to_string(&contract).unwrap();
        assert_eq!(Contract::parse(&written, "written").unwrap(), contract);
    }

    #[test]
    fn a_target_overrides_single_keys() {
        let overrides = "prefix = '/api/upload-pipeline'\n[routes.jobs]\npresence = 'absent'\n[timing]\nlease = '2s'";
        let contract =
            Contract::parse_with_overrides(DEFAULT, &overrides.parse().unwrap(), "x").unwrap();
        assert_eq!(contract.prefix, "/api/upload-pipeline");
        assert_eq!(contract.timing.lease.as_secs(), 2);
        let jobs = &contract.routes[&super::super::Endpoint::Jobs];
        assert_eq!(
            (jobs.presence, jobs.path.as_str()),
            (super::super::Presence::Absent, "{prefix}/jobs")
        );
    }

    #[test]
    fn the_error_names_a_misspelt_key_and_its_line() {
        insta::assert_snapshot!(error(
            |text| text.replace("concurrent_jobs = 2", "concurent_jobs = 2")
        ));
    }

    #[test]
    fn the_error_names_a_wrong_value_and_its_line() {
        insta::assert_snapshot!(error(
            |text| text.replace("url_ttl = \"300s\"", "url_ttl = \"soon\"")
        ));
    }

    #[test]
    fn the_error_names_a_misspelt_override() {
        insta::assert_snapshot!(override_error("[limits]\nconcurent_jobs = 3"));
    }

    #[test]
    fn the_error_names_an_override_of_the_wrong_type() {
        insta::assert_snapshot!(override_error("[timing]\nlease = 30"));
    }

    #[test]
    fn the_error_names_an_undeclared_status() {
        insta::assert_snapshot!(override_error("[vocabulary]\ncomplete = 'finished'"));
    }

    #[test]
    fn ids_are_derived_or_random() {
        let error = override_error("[ids]\ndocument = 'rnadom'");
        assert!(
            error.contains("key 'ids.document'") && error.contains("write \"random\""),
            "{error}"
        );
        let overrides = "[ids]\ndocument = 'random'\nchunk = 'random'";
        let contract =
            Contract::parse_with_overrides(DEFAULT, &overrides.parse().unwrap(), "x").unwrap();
        assert_eq!(contract.ids.document, Derivation::Random);
        let written = toml::to_string(&contract).unwrap();
        assert_eq!(Contract::parse(&written, "written").unwrap(), contract);
    }

    #[test]
    fn a_path_starts_with_a_bucket() {
        for path in ["{user_id}/a.pdf", "a.pdf", "/a.pdf"] {
            let error = override_error(&format!("[storage]\nraw_path = '{path}'"));
            assert!(
                error.contains("key 'storage.raw_path'") && error.contains("\"files/{user_id}"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_error_names_an_unknown_placeholder() {
        insta::assert_snapshot!(override_error("[routes.job]\npath = '{prefix}/jobs/{id}'"));
    }
}
