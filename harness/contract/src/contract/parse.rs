//! Reads a contract, and says which line or key is wrong and what would be right.

use serde::Deserialize as _;
use toml::{Table, Value};

use super::contract::Contract;
use super::derive::bucket_of;
use super::endpoint::{Endpoint, Route};
use super::ids::Derivation;
use super::template::places;

/// Why a contract cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// It is not TOML, or a key or value of it is not known.
    #[error("read contract '{origin}': {detail}{}", suggestion(.nearest.as_deref()))]
    Malformed {
        /// Where it comes from.
        origin: String,
        /// Line or key, and what is wrong there.
        detail: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// Its parts contradict each other.
    #[error("read contract '{origin}': key '{key}': {detail}")]
    Contradiction {
        /// Where it comes from.
        origin: String,
        /// The key that is wrong.
        key: String,
        /// Why, and what would be right.
        detail: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| {
        format!("\ndid you mean '{nearest}'?")
    })
}

impl Contract {
    /// Reads a contract; the origin is the file's name, for errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ContractError> {
        let contract: Self = toml::from_str(text).map_err(|error| malformed(origin, &error))?;
        contract.consistent(origin)
    }

    /// Reads a contract with some of its keys replaced; the origin names the overrides.
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

    fn consistent(self, origin: &str) -> Result<Self, ContractError> {
        match self.contradiction() {
            None => Ok(self),
            Some((key, detail)) => Err(ContractError::Contradiction {
                origin: origin.to_owned(),
                key,
                detail,
            }),
        }
    }

    /// The first key that does not fit the others, and why.
    fn contradiction(&self) -> Option<(String, String)> {
        if let Some((key, word)) = self.vocabulary.undeclared() {
            let detail = format!(
                "'{word}' is in neither vocabulary.statuses nor vocabulary.states; add it there"
            );
            return Some((key.to_owned(), detail));
        }
        if self.limits.hard_max_bytes < self.limits.max_bytes {
            let detail = "is below limits.max_bytes; raise it or lower the other";
            return Some(("limits.hard_max_bytes".to_owned(), detail.to_owned()));
        }
        if !(1.0..=100.0).contains(&self.timing.retry_factor) {
            let detail = "is not between 1 and 100".to_owned();
            return Some(("timing.retry_factor".to_owned(), detail));
        }
        self.requests
            .contradiction()
            .or_else(|| self.callback.contradiction())
            .or_else(|| self.same_id_for_all())
            .or_else(|| self.no_bucket())
            .or_else(|| self.bad_template())
    }

    /// The name of an id that is the same for everything that has one.
    fn same_id_for_all(&self) -> Option<(String, String)> {
        let names = [
            ("ids.document", &self.ids.document),
            ("ids.chunk", &self.ids.chunk),
        ];
        let all_the_same = |(_, name): &(&str, &Derivation)| {
            let template = name.template();
            template.is_some_and(|template| places(template).next().is_none())
        };
        let (key, name) = names.into_iter().find(all_the_same)?;
        let detail = format!(
            "'{}' has no place, so that all ids are the same; name one, or write \"random\" \
             where ids cannot be derived",
            name.template().unwrap_or_default()
        );
        Some((key.to_owned(), detail))
    }

    /// A path that does not begin with the name of a bucket, which must be there before any document.
    fn no_bucket(&self) -> Option<(String, String)> {
        let layout = &self.storage;
        let paths = [
            ("storage.raw_path", &layout.raw_path),
            ("storage.parsed_path", &layout.parsed_path),
        ];
        let has_none = |(_, path): &(&str, &String)| {
            let bucket = bucket_of(path);
            bucket.is_empty() || bucket.len() == path.len() || bucket.contains('{')
        };
        let (key, path) = paths.into_iter().find(has_none)?;
        let detail = format!(
            "'{path}' does not begin with the name of a bucket; write it first, as in \
             \"{}/{{user_id}}/{{h}}.pdf\"",
            layout.bucket
        );
        Some((key.to_owned(), detail))
    }

    /// A template with a place that nothing fills.
    fn bad_template(&self) -> Option<(String, String)> {
        const ROUTE: &[&str] = &["prefix", "webhook_prefix", "job_id", "document_id"];
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
                let unknown = places(&template).find(|place| !known.contains(place))?;
                let known = known.join("}, {");
                Some((
                    key,
                    format!("nothing fills '{{{unknown}}}'; places are {{{known}}}"),
                ))
            })
    }
}

/// Lays one table over another, key by key; whatever is not a table replaces what was there.
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

/// The known key that looks most like the unknown one, from the list that the
/// message ends with: "unknown field `a`, expected one of `b`, `c`".
fn nearest(message: &str) -> Option<String> {
    const SIMILAR: f64 = 0.8;
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut words = message.split('`').skip(1).step_by(2);
    let unknown = words.next()?;
    words
        .map(|known| (strsim::jaro_winkler(unknown, known), known))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
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
    fn the_default_contract_survives_being_written_and_read() {
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
    fn a_misspelt_key_is_named_with_its_line() {
        insta::assert_snapshot!(error(
            |text| text.replace("concurrent_jobs = 2", "concurent_jobs = 2")
        ));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_line() {
        insta::assert_snapshot!(error(
            |text| text.replace("url_ttl = \"300s\"", "url_ttl = \"soon\"")
        ));
    }

    #[test]
    fn a_misspelt_override_is_named() {
        insta::assert_snapshot!(override_error("[limits]\nconcurent_jobs = 3"));
    }

    #[test]
    fn an_override_of_the_wrong_type_is_named() {
        insta::assert_snapshot!(override_error("[timing]\nlease = 30"));
    }

    #[test]
    fn a_word_that_nobody_declared_is_named() {
        insta::assert_snapshot!(override_error("[vocabulary]\ncomplete = 'finished'"));
    }

    #[test]
    fn ids_are_named_or_random() {
        let said = override_error("[ids]\ndocument = 'rnadom'");
        assert!(
            said.contains("key 'ids.document'") && said.contains("write \"random\""),
            "{said}"
        );
        let overrides = "[ids]\ndocument = 'random'\nchunk = 'random'";
        let contract =
            Contract::parse_with_overrides(DEFAULT, &overrides.parse().unwrap(), "x").unwrap();
        assert_eq!(contract.ids.document, Derivation::Random);
        let written = toml::to_string(&contract).unwrap();
        assert_eq!(Contract::parse(&written, "written").unwrap(), contract);
    }

    #[test]
    fn a_path_begins_with_a_bucket() {
        for path in ["{user_id}/a.pdf", "a.pdf", "/a.pdf"] {
            let said = override_error(&format!("[storage]\nraw_path = '{path}'"));
            assert!(
                said.contains("key 'storage.raw_path'") && said.contains("\"files/{user_id}"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_place_that_nothing_fills_is_named() {
        insta::assert_snapshot!(override_error("[routes.job]\npath = '{prefix}/jobs/{id}'"));
    }
}
