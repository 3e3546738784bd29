//! The `[control]` table of a target file: the commands that stop, start, pause and scale its processes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::capability::Capability;
use crate::control_action::{ACTIONS, COUNT, ControlAction};

/// The key of the ordinary number of workers.
const WORKER_COUNT: &str = "control.worker.count";

/// The tables as they are written: process, then key, then value.
type Tables = BTreeMap<String, BTreeMap<String, toml::Value>>;

/// The commands that control a target. Each is a program with its arguments, run without a shell.
/// The keys are those of [`ACTIONS`], and the ordinary number of workers.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Tables")]
pub struct ControlSettings {
    worker_count: usize,
    /// The command of each key.
    commands: BTreeMap<&'static str, Vec<String>>,
}

impl Default for ControlSettings {
    fn default() -> Self {
        Self {
            worker_count: 1,
            commands: BTreeMap::new(),
        }
    }
}

impl TryFrom<Tables> for ControlSettings {
    type Error = String;

    fn try_from(tables: Tables) -> Result<Self, String> {
        let mut settings = Self::default();
        for (process, entries) in tables {
            if !keys().any(|key| key.starts_with(&format!("control.{process}."))) {
                return Err(unknown(&format!("control.{process}")));
            }
            for (name, value) in entries {
                settings.set(&format!("control.{process}.{name}"), value)?;
            }
        }
        Ok(settings)
    }
}

impl ControlSettings {
    fn set(&mut self, key: &str, value: toml::Value) -> Result<(), String> {
        let invalid = |error: toml::de::Error| format!("key '{key}': {}", error.message());
        if key == WORKER_COUNT {
            self.worker_count = value.try_into().map_err(invalid)?;
        } else if let Some(spec) = ACTIONS.iter().find(|spec| spec.key == key) {
            let command = value.try_into().map_err(invalid)?;
            self.commands.insert(spec.key, command);
        } else {
            return Err(unknown(key));
        }
        Ok(())
    }

    /// The number of workers while no check has scaled them.
    pub(crate) fn worker_count(&self) -> usize {
        self.worker_count
    }

    /// The command for an action, with the number of workers filled in.
    pub(crate) fn command(&self, action: ControlAction) -> Option<Vec<String>> {
        let words = self.commands.get(action.spec().key)?;
        let words: Vec<_> = words.iter().map(|word| action.with_count(word)).collect();
        Some(words).filter(|words| !words.is_empty())
    }

    /// The capabilities that it grants.
    pub(crate) fn grants(&self) -> impl Iterator<Item = Capability> {
        ACTIONS
            .iter()
            .filter(|spec| spec.inverse.is_some() && self.command(spec.action).is_some())
            .map(|spec| spec.capability)
    }

    /// Every command with its key.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        let command = |key| Some((key, self.commands.get(key)?.as_slice()));
        ACTIONS.iter().filter_map(move |spec| command(spec.key))
    }

    /// What is wrong with it, if anything is: the key and what to write instead.
    pub(crate) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let has_no_program =
            |words: &[String]| words.first().is_none_or(|word| word.trim().is_empty());
        if let Some((key, _)) = self.all().find(|(_, words)| has_no_program(words)) {
            return Some((
                key,
                "must name a program and its arguments, as a list of words",
            ));
        }
        let is_given = |action: ControlAction| self.commands.contains_key(action.spec().key);
        let is_unpaired = |action, inverse| is_given(action) != is_given(inverse);
        if let Some(spec) = ACTIONS.iter().find(|spec| {
            spec.inverse
                .is_some_and(|inverse| is_unpaired(spec.action, inverse))
        }) {
            return Some((
                spec.key,
                "must come with its inverse: stop with start, pause with resume",
            ));
        }
        if self.worker_count == 0 {
            return Some((
                WORKER_COUNT,
                "must be at least 1: the number of workers while no check has scaled them",
            ));
        }
        let counted = ACTIONS.iter().filter(|spec| spec.phrase.contains(COUNT));
        counted
            .filter_map(|spec| Some((spec.key, self.commands.get(spec.key)?)))
            .find(|(_, words)| !words.iter().any(|word| word.contains(COUNT)))
            .map(|(key, _)| {
                (
                    key,
                    "must contain {count} in place of the number of workers",
                )
            })
    }
}

/// Every key of `[control]`.
fn keys() -> impl Iterator<Item = &'static str> {
    [WORKER_COUNT]
        .into_iter()
        .chain(ACTIONS.iter().map(|spec| spec.key))
}

fn unknown(key: &str) -> String {
    let known: Vec<_> = keys().collect();
    format!(
        "unknown key '{key}'; the keys of [control] are {}",
        known.join(", ")
    )
}

impl JsonSchema for ControlSettings {
    fn schema_name() -> Cow<'static, str> {
        "ControlSettings".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let count = json!({
            "description": "The number of workers while no check has scaled them.",
            "type": "integer", "minimum": 1, "default": 1,
        });
        let command = |description: &str| {
            json!({
                "description": description,
                "type": "array", "items": {"type": "string"}, "minItems": 1,
            })
        };
        let commands = ACTIONS
            .iter()
            .map(|spec| (spec.key, command(spec.description)));
        let mut processes = BTreeMap::<&str, Map<String, Value>>::new();
        for (key, schema) in [(WORKER_COUNT, count)].into_iter().chain(commands) {
            if let [_, process, name] = key.split('.').collect::<Vec<_>>()[..] {
                let keys = processes.entry(process).or_default();
                keys.insert(name.to_owned(), schema);
            }
        }
        let table = |properties| json!({"type": "object", "additionalProperties": false, "properties": properties});
        let processes: Map<String, Value> = processes
            .into_iter()
            .map(|(process, keys)| (process.to_owned(), table(keys)))
            .collect();
        let mut schema = Schema::try_from(table(processes)).unwrap_or_default();
        schema.insert(
            "description".to_owned(),
            "The commands that control a target. Each is a program with its arguments, run without a shell.".into(),
        );
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> ControlSettings {
        toml::from_str(text).unwrap()
    }

    /// The section and the key of `[control]` in a file of its own.
    fn line(key: &str, value: &str) -> String {
        let (process, name) = key["control.".len()..].split_once('.').unwrap();
        format!("[{process}]\n{name} = {value}\n")
    }

    #[test]
    fn a_pair_of_commands_grants_a_capability() {
        let given =
            settings("[worker]\nstop = [\"a\"]\nstart = [\"b\"]\nscale = [\"c\", \"x={count}\"]\n");
        assert!(given.problem().is_none());
        let grants: Vec<_> = given.grants().collect();
        assert_eq!(grants, [Capability::WorkerStop, Capability::WorkerScale]);
        let scaled = given.command(ControlAction::ScaleWorkers(3)).unwrap();
        assert_eq!(scaled, ["c", "x=3"]);
    }

    #[test]
    fn every_action_has_a_key_and_is_part_of_the_schema() {
        let schema = schemars::schema_for!(ControlSettings).to_value();
        for spec in &ACTIONS {
            let given = settings(&line(spec.key, "[\"a\", \"{count}\"]"));
            assert!(given.command(spec.action).is_some(), "{}", spec.key);
            let pointer = spec.key["control.".len()..].replace('.', "/properties/");
            let pointer = format!("/properties/{pointer}/description");
            let described = schema.pointer(&pointer).and_then(Value::as_str);
            assert_eq!(described, Some(spec.description), "{}", spec.key);
        }
    }

    #[test]
    fn unknown_keys_are_rejected_by_name() {
        for (text, key) in [
            ("[worker]\nkill = [\"a\"]\n", "'control.worker.kill'"),
            ("[database]\n", "'control.database'"),
            ("[worker]\nstop = \"a\"\n", "'control.worker.stop'"),
        ] {
            let error = toml::from_str::<ControlSettings>(text).unwrap_err();
            assert!(error.message().contains(key), "{error}");
        }
    }

    #[test]
    fn commands_without_inverse_or_program_are_rejected_by_key() {
        for (text, key) in [
            ("[worker]\nstop = [\"a\"]\n", "control.worker.stop"),
            ("[worker]\nresume = [\"a\"]\n", "control.worker.pause"),
            ("[worker]\nscale = [\"a\"]\n", "control.worker.scale"),
            ("[worker]\ncount = 0\n", "control.worker.count"),
            ("[api]\nstart = [\"a\"]\n", "control.api.stop"),
            ("[api]\nstop = []\nstart = [\"a\"]\n", "control.api.stop"),
        ] {
            assert_eq!(
                settings(text).problem().map(|(key, _)| key),
                Some(key),
                "{text}"
            );
        }
    }
}
