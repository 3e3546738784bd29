//! How the parts of a target that somebody else runs are stopped, started, paused and scaled.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::capability::Capability;
use crate::control_action::ControlAction;

/// What a scale command says where the number belongs.
const COUNT: &str = "{count}";

/// The commands that control a target. Each is a program with its arguments; no shell is between.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ControlSettings {
    /// The workers, all of them.
    pub worker: WorkerControl,
    /// The API.
    pub api: ApiControl,
}

/// The commands that control the workers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerControl {
    /// How many there are when nobody has scaled them.
    pub count: usize,
    /// Ends them; `docker kill` shows more than `docker stop`, which lets them say goodbye.
    pub stop: Option<Vec<String>>,
    /// Starts them again.
    pub start: Option<Vec<String>>,
    /// Freezes them.
    pub pause: Option<Vec<String>>,
    /// Lets them go on.
    pub resume: Option<Vec<String>>,
    /// Makes them as many as `{count}` says.
    pub scale: Option<Vec<String>>,
}

impl Default for WorkerControl {
    fn default() -> Self {
        Self {
            count: 1,
            stop: None,
            start: None,
            pause: None,
            resume: None,
            scale: None,
        }
    }
}

/// The commands that control the API.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiControl {
    /// Ends it.
    pub stop: Option<Vec<String>>,
    /// Starts it again.
    pub start: Option<Vec<String>>,
}

impl ControlSettings {
    /// The command for an instruction, with its number in place.
    pub(crate) fn command(&self, told: ControlAction) -> Option<Vec<String>> {
        let worker = &self.worker;
        let command = match told {
            ControlAction::StopWorkers => worker.stop.clone(),
            ControlAction::StartWorkers => worker.start.clone(),
            ControlAction::PauseWorkers => worker.pause.clone(),
            ControlAction::ResumeWorkers => worker.resume.clone(),
            ControlAction::ScaleWorkers(count) => {
                let count = count.to_string();
                let put = |words: &Vec<String>| {
                    words
                        .iter()
                        .map(|word| word.replace(COUNT, &count))
                        .collect()
                };
                worker.scale.as_ref().map(put)
            }
            ControlAction::StopApi => self.api.stop.clone(),
            ControlAction::StartApi => self.api.start.clone(),
        };
        command.filter(|words| !words.is_empty())
    }

    /// The capabilities that it grants.
    pub(crate) fn grants(&self) -> impl Iterator<Item = Capability> {
        [
            ControlAction::StopWorkers,
            ControlAction::PauseWorkers,
            ControlAction::ScaleWorkers(1),
            ControlAction::StopApi,
        ]
        .into_iter()
        .filter(|told| self.command(*told).is_some())
        .map(ControlAction::needs)
    }

    /// Every command with its key.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        let worker = &self.worker;
        [
            ("control.worker.stop", &worker.stop),
            ("control.worker.start", &worker.start),
            ("control.worker.pause", &worker.pause),
            ("control.worker.resume", &worker.resume),
            ("control.worker.scale", &worker.scale),
            ("control.api.stop", &self.api.stop),
            ("control.api.start", &self.api.start),
        ]
        .into_iter()
        .filter_map(|(key, command)| Some((key, command.as_deref()?)))
    }

    /// What is wrong with it, if anything is: the key and what to write instead.
    pub(crate) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let worker = &self.worker;
        let nameless = |words: &[String]| words.first().is_none_or(|word| word.trim().is_empty());
        if let Some((key, _)) = self.all().find(|(_, words)| nameless(words)) {
            return Some((
                key,
                "must name a program and its arguments, as a list of words",
            ));
        }
        let pairs = [
            ("control.worker.stop", &worker.stop, &worker.start),
            ("control.worker.pause", &worker.pause, &worker.resume),
            ("control.api.stop", &self.api.stop, &self.api.start),
        ];
        let lonely = pairs
            .into_iter()
            .find(|(_, one, other)| one.is_some() != other.is_some());
        if let Some((key, _, _)) = lonely {
            return Some((
                key,
                "must come with what takes it back: stop with start, pause with resume",
            ));
        }
        if worker.count == 0 {
            return Some((
                "control.worker.count",
                "must be at least 1: how many there are when nobody has scaled them",
            ));
        }
        let numbered = |words: &Vec<String>| words.iter().any(|word| word.contains(COUNT));
        worker
            .scale
            .as_ref()
            .filter(|words| !numbered(words))
            .map(|_| {
                (
                    "control.worker.scale",
                    "must say {count} where the number of workers belongs",
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> ControlSettings {
        toml::from_str(text).unwrap()
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
    fn what_cannot_be_taken_back_or_run_is_refused_by_its_key() {
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
