//! Control actions: one table of what can be done to the processes of a system, and how a stack does it.

use std::fmt;
use std::mem::discriminant;

use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::capability::Capability;
use cutover_stack::Stack;

/// The placeholder for the number of workers, in phrases and in commands.
pub(crate) const COUNT: &str = "{count}";

/// Something that can be done to the processes of a system. "The workers" are all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlAction {
    /// Stops the workers, as a crash does where the target can simulate one.
    StopWorkers,
    /// Starts the stopped workers.
    StartWorkers,
    /// Freezes the workers: their connections stay open, and they do nothing.
    PauseWorkers,
    /// Resumes the paused workers.
    ResumeWorkers,
    /// Sets the number of workers.
    ScaleWorkers(usize),
    /// Stops the API, as a crash does where the target can simulate one.
    StopApi,
    /// Starts the stopped API.
    StartApi,
}

/// A row of [`ACTIONS`].
#[derive(Clone, Copy, Debug)]
pub struct ActionSpec {
    /// The action. A number in it is a placeholder.
    pub action: ControlAction,
    /// The key of the target file that holds its command.
    pub key: &'static str,
    /// What a check must require to use it.
    pub capability: Capability,
    /// The action that undoes it, if it changes the system.
    pub inverse: Option<ControlAction>,
    /// The action in words, for messages.
    pub phrase: &'static str,
    /// What the command does, for the schema of the target file.
    pub description: &'static str,
}

/// Every control action. Names, grants, keys, pairs and the schema of `[control]` derive from it.
pub const ACTIONS: [ActionSpec; 7] = [
    ActionSpec {
        action: ControlAction::StopWorkers,
        key: "control.worker.stop",
        capability: Capability::WorkerStop,
        inverse: Some(ControlAction::StartWorkers),
        phrase: "stop the workers",
        description: "Stops the workers; `docker kill` is closer to a crash than `docker stop`, which shuts down gracefully.",
    },
    ActionSpec {
        action: ControlAction::StartWorkers,
        key: "control.worker.start",
        capability: Capability::WorkerStop,
        inverse: None,
        phrase: "start the workers",
        description: "Starts the stopped workers.",
    },
    ActionSpec {
        action: ControlAction::PauseWorkers,
        key: "control.worker.pause",
        capability: Capability::WorkerPause,
        inverse: Some(ControlAction::ResumeWorkers),
        phrase: "pause the workers",
        description: "Freezes the workers.",
    },
    ActionSpec {
        action: ControlAction::ResumeWorkers,
        key: "control.worker.resume",
        capability: Capability::WorkerPause,
        inverse: None,
        phrase: "resume the workers",
        description: "Resumes the paused workers.",
    },
    ActionSpec {
        action: ControlAction::ScaleWorkers(0),
        key: "control.worker.scale",
        capability: Capability::WorkerScale,
        inverse: Some(ControlAction::ScaleWorkers(0)),
        phrase: "scale the workers to {count}",
        description: "Sets the number of workers to `{count}`.",
    },
    ActionSpec {
        action: ControlAction::StopApi,
        key: "control.api.stop",
        capability: Capability::ApiStop,
        inverse: Some(ControlAction::StartApi),
        phrase: "stop the API",
        description: "Stops the API.",
    },
    ActionSpec {
        action: ControlAction::StartApi,
        key: "control.api.start",
        capability: Capability::ApiStop,
        inverse: None,
        phrase: "start the API",
        description: "Starts the stopped API.",
    },
];

impl ControlAction {
    /// Its row of the table.
    pub fn spec(self) -> &'static ActionSpec {
        let is_row = |spec: &&ActionSpec| discriminant(&spec.action) == discriminant(&self);
        let Some(spec) = ACTIONS.iter().find(is_row) else {
            unreachable!("every control action has a row");
        };
        spec
    }

    /// What a check must require to use it.
    pub fn capability(self) -> Capability {
        self.spec().capability
    }

    /// The action that restores a system with this ordinary number of workers;
    /// nothing where this action itself restores it.
    pub fn inverse(self, workers: usize) -> Option<Self> {
        let mut inverse = self.spec().inverse?;
        if let Self::ScaleWorkers(count) = &mut inverse {
            *count = workers;
        }
        (inverse != self).then_some(inverse)
    }

    /// Replaces the placeholder for the number of workers in a text.
    pub(crate) fn with_count(self, text: &str) -> String {
        if let Self::ScaleWorkers(count) = self {
            text.replace(COUNT, &count.to_string())
        } else {
            text.to_owned()
        }
    }

    /// Applies it to a stack and waits until it is done.
    pub(crate) async fn apply_to(self, stack: &Stack) -> anyhow::Result<()> {
        let workers = stack.workers();
        match self {
            Self::StopWorkers => {
                try_join_all(workers.iter().map(|worker| worker.kill())).await?;
            }
            Self::StartWorkers => {
                try_join_all(workers.iter().map(|worker| worker.start())).await?;
            }
            Self::PauseWorkers => {
                try_join_all(workers.iter().map(|worker| worker.pause())).await?;
            }
            Self::ResumeWorkers => {
                try_join_all(workers.iter().map(|worker| worker.resume())).await?;
            }
            Self::ScaleWorkers(count) => stack.scale_workers(count).await?,
            Self::StopApi => {
                stack.api().kill().await?;
            }
            Self::StartApi => stack.api().start().await?,
        }
        Ok(())
    }
}

/// The keys of the target file whose commands grant a capability; empty where no action requires it.
pub fn keys_granting(capability: Capability) -> Vec<&'static str> {
    let rows = ACTIONS.iter().filter(|spec| spec.capability == capability);
    rows.map(|spec| spec.key).collect()
}

impl fmt::Display for ControlAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_count(self.spec().phrase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_needs_the_same_capability_and_has_no_inverse_itself() {
        for spec in &ACTIONS {
            if let Some(inverse) = spec.action.inverse(1) {
                assert_eq!(inverse.capability(), spec.capability, "{inverse}");
                assert_eq!(inverse.inverse(1), None, "{inverse}");
            }
        }
        for changes in [
            ControlAction::StopWorkers,
            ControlAction::PauseWorkers,
            ControlAction::ScaleWorkers(3),
            ControlAction::StopApi,
        ] {
            assert!(changes.inverse(1).is_some(), "{changes}");
        }
    }

    #[test]
    fn each_action_has_one_row_with_a_key_of_its_own() {
        for (index, spec) in ACTIONS.iter().enumerate() {
            assert_eq!(spec.action.spec().key, spec.key);
            assert!(spec.key.starts_with("control."), "{}", spec.key);
            assert!(keys_granting(spec.capability).contains(&spec.key));
            let earlier = &ACTIONS[..index];
            assert!(earlier.iter().all(|other| other.key != spec.key));
        }
        let scaled = ControlAction::ScaleWorkers(3).to_string();
        assert_eq!(scaled, "scale the workers to 3");
    }
}
