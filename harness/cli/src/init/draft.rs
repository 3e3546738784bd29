//! A contract as far as it is known: each key with its value, its source, and whether it is a guess.

use std::collections::BTreeMap;

use cutover_contract::contract::{Contract, ContractError};
use toml::{Table, Value};

/// The mark of a value that somebody should confirm.
const GUESS: &str = "guess: confirm";

/// The table of the keys that are in no other table.
const TOP: &str = "";

/// The tables that contain tables.
const NESTED: [&str; 2] = ["requests", "fields"];

/// The name of the draft in errors.
const ORIGIN: &str = "the proposed contract";

/// How much is known about a value; a weaker value never replaces a stronger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Certainty {
    /// Concluded from a name.
    Guess,
    /// Read or observed.
    Seen,
    /// Given by the user.
    Given,
}

/// A value of the contract.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    value: Value,
    certainty: Certainty,
    source: String,
}

/// The contract as far as it is known: tables by their dotted names, and their keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Draft {
    tables: BTreeMap<String, BTreeMap<String, Entry>>,
}

/// A `--set` that is not `table.key=value`.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is not KEY=VALUE with a key of the contract, such as requests.upload.filename=/name"
)]
pub(super) struct InvalidSetting(String);

impl Draft {
    /// Sets a value, unless it is known better.
    pub(super) fn set(
        &mut self,
        table: &str,
        key: &str,
        value: impl Into<Value>,
        certainty: Certainty,
        source: impl Into<String>,
    ) {
        let keys = self.tables.entry(table.to_owned()).or_default();
        let is_better = keys
            .get(key)
            .is_none_or(|known| known.certainty <= certainty);
        if is_better {
            let entry = Entry {
                value: value.into(),
                certainty,
                source: source.into(),
            };
            keys.insert(key.to_owned(), entry);
        }
    }

    /// Sets a value from `KEY=VALUE` of the command line. A route is written `METHOD /path`.
    pub(super) fn set_given(&mut self, setting: &str) -> Result<(), InvalidSetting> {
        let invalid = || InvalidSetting(setting.to_owned());
        let (path, text) = setting.split_once('=').ok_or_else(invalid)?;
        let path = path.trim();
        let (table, key) = path.rsplit_once('.').unwrap_or((TOP, path));
        if key.is_empty() {
            return Err(invalid());
        }
        let value = match text.split_once(' ') {
            Some((method, path)) if table == "routes" => route(method, path),
            _ => parsed(text),
        };
        self.set(table, key, value, Certainty::Given, "given with --set");
        Ok(())
    }

    /// Sets every value of a contract that the user has written.
    pub(super) fn set_contract(&mut self, contract: &Table) {
        for (name, value) in contract {
            let nested = value.as_table();
            let nested = nested.filter(|_| NESTED.contains(&name.as_str()));
            let Some(tables) = nested else {
                self.set_table(TOP, name, value);
                continue;
            };
            for (inner, value) in tables {
                self.set_table(name, inner, value);
            }
        }
    }

    fn set_table(&mut self, parent: &str, name: &str, value: &Value) {
        let source = "as it was in the file";
        let Value::Table(keys) = value else {
            return self.set(parent, name, value.clone(), Certainty::Given, source);
        };
        let table = if parent == TOP {
            name.to_owned()
        } else {
            format!("{parent}.{name}")
        };
        for (key, value) in keys {
            self.set(&table, key, value.clone(), Certainty::Given, source);
        }
    }

    /// The value of a key.
    pub(super) fn value(&self, table: &str, key: &str) -> Option<&Value> {
        Some(&self.tables.get(table)?.get(key)?.value)
    }

    /// The text of a key; nothing for "none".
    pub(super) fn text(&self, table: &str, key: &str) -> Option<&str> {
        self.value(table, key)?
            .as_str()
            .filter(|text| *text != "none")
    }

    /// The number of values to confirm.
    pub(super) fn guesses(&self) -> usize {
        let entries = self.tables.values().flat_map(BTreeMap::values);
        entries
            .filter(|entry| entry.certainty == Certainty::Guess)
            .count()
    }

    /// The contract of this draft: the default with every table that it does not refuse.
    pub(super) fn contract(&self, default: &str) -> Result<Contract, ContractError> {
        let (accepted, _) = self.overrides(default);
        Contract::parse_with_overrides(default, &accepted, ORIGIN)
    }

    /// The tables of `[contract]` as text. A table that the contract refuses is commented out with the reason.
    pub(super) fn text_for(&self, default: &str) -> String {
        let (_, refused) = self.overrides(default);
        let tables = self.tables.iter().map(|(name, keys)| {
            let body = table_text(name, keys);
            match refused.get(name) {
                None => body,
                Some(error) => refused_text(&body, error),
            }
        });
        tables.collect()
    }

    /// The tables that the contract accepts, and why it refuses the others.
    fn overrides(&self, default: &str) -> (Table, BTreeMap<String, ContractError>) {
        let (mut accepted, mut refused) = (Table::new(), BTreeMap::new());
        for (name, keys) in &self.tables {
            let mut with = accepted.clone();
            merge(&mut with, name, keys);
            match Contract::parse_with_overrides(default, &with, ORIGIN) {
                Ok(_) => accepted = with,
                Err(error) => drop(refused.insert(name.clone(), error)),
            }
        }
        (accepted, refused)
    }
}

/// The value of a route.
pub(super) fn route(method: &str, path: &str) -> Value {
    let fields = [("method", method), ("path", path)];
    let fields = fields.map(|(key, value)| (key.to_owned(), Value::from(value)));
    Value::Table(fields.into_iter().collect())
}

/// The value of a route that the target does not have.
pub(super) fn absent_route() -> Value {
    let presence = ("presence".to_owned(), Value::from("absent"));
    Value::Table([presence].into_iter().collect())
}

/// A number, boolean or list in TOML; anything else is a text.
fn parsed(text: &str) -> Value {
    let table = format!("value = {text}").parse::<Table>().ok();
    table
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::from(text))
}

fn merge(overrides: &mut Table, name: &str, keys: &BTreeMap<String, Entry>) {
    let mut table = overrides;
    for segment in name.split('.').filter(|segment| !segment.is_empty()) {
        let next = table
            .entry(segment)
            .or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(next) = next else { return };
        table = next;
    }
    for (key, entry) in keys {
        table.insert(key.clone(), entry.value.clone());
    }
}

fn table_text(name: &str, keys: &BTreeMap<String, Entry>) -> String {
    let dot = if name == TOP { "" } else { "." };
    let lines = keys.iter().map(|(key, entry)| {
        let mark = match entry.certainty {
            Certainty::Guess => format!("{GUESS}; "),
            Certainty::Seen | Certainty::Given => String::new(),
        };
        let source = entry.source.replace(char::is_control, " ");
        format!("{key} = {}  # {mark}{source}\n", entry.value)
    });
    let lines: String = lines.collect();
    format!("\n[contract{dot}{name}]\n{lines}")
}

fn refused_text(body: &str, error: &ContractError) -> String {
    let reason = error.to_string();
    let reason = reason.lines().next().unwrap_or_default();
    let lines = body.trim().lines().map(|line| format!("# {line}\n"));
    let lines: String = lines.collect();
    format!("\n# {GUESS}; the contract refuses this table: {reason}\n{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = include_str!("../../../../fixtures/contracts/upload_pipeline.toml");

    #[test]
    fn a_weaker_value_never_replaces_a_stronger_one() {
        let mut draft = Draft::default();
        draft.set_given("routes.upload=POST /v1/files").unwrap();
        draft.set("routes", "upload", absent_route(), Certainty::Seen, "");
        assert_eq!(
            draft.value("routes", "upload"),
            Some(&route("POST", "/v1/files"))
        );
        draft.set("limits", "page_max", 7, Certainty::Guess, "");
        draft.set("limits", "page_max", 8, Certainty::Seen, "");
        draft.set("limits", "page_max", 9, Certainty::Guess, "");
        assert_eq!(draft.value("limits", "page_max"), Some(&Value::from(8)));
    }

    #[test]
    fn guesses_are_marked_and_refused_tables_are_comments() {
        let mut draft = Draft::default();
        draft.set(
            "fields.job",
            "status",
            "/stage",
            Certainty::Guess,
            "named 'stage'",
        );
        draft.set(
            "fields.job",
            "state",
            "none",
            Certainty::Seen,
            "not in the response",
        );
        draft.set("limits", "nonsense", 7, Certainty::Guess, "a test");
        let text = draft.text_for(DEFAULT);
        assert!(
            text.contains("status = \"/stage\"  # guess: confirm; named 'stage'\n"),
            "{text}"
        );
        assert!(
            text.contains("state = \"none\"  # not in the response\n"),
            "{text}"
        );
        assert!(text.contains("# nonsense = 7"), "{text}");
        assert_eq!(draft.guesses(), 2);
    }

    #[test]
    fn a_setting_is_a_key_and_a_value() {
        let mut draft = Draft::default();
        draft.set_given("statuses.accepted=201").unwrap();
        draft.set_given("storage.bucket=library").unwrap();
        assert_eq!(draft.value("statuses", "accepted"), Some(&Value::from(201)));
        assert_eq!(draft.text("storage", "bucket"), Some("library"));
        for invalid in ["", "=b", "routes.upload"] {
            assert!(draft.set_given(invalid).is_err(), "{invalid}");
        }
    }
}
