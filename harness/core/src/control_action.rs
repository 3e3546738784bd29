//! What the parts of a pipeline can be told, and what takes it back.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::capability::Capability;

/// What the parts of a pipeline can be told. "The workers" are all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlAction {
    /// The workers end, as in a crash where the target can do that.
    StopWorkers,
    /// The workers that were stopped start again.
    StartWorkers,
    /// The workers freeze: their connections stay open and they do nothing.
    PauseWorkers,
    /// The workers that were paused go on.
    ResumeWorkers,
    /// There are so many workers.
    ScaleWorkers(usize),
    /// The API ends, as in a crash where the target can do that.
    StopApi,
    /// The API that was stopped starts again.
    StartApi,
}

impl ControlAction {
    /// What a check must require to give it.
    pub fn needs(self) -> Capability {
        match self {
            Self::StopWorkers | Self::StartWorkers => Capability::WorkerStop,
            Self::PauseWorkers | Self::ResumeWorkers => Capability::WorkerPause,
            Self::ScaleWorkers(_) => Capability::WorkerScale,
            Self::StopApi | Self::StartApi => Capability::ApiStop,
        }
    }

    /// What puts a system back that was told this and ordinarily has so many workers;
    /// nothing where this puts it back itself.
    pub fn taken_back_by(self, workers: usize) -> Option<Self> {
        match self {
            Self::StopWorkers => Some(Self::StartWorkers),
            Self::PauseWorkers => Some(Self::ResumeWorkers),
            Self::ScaleWorkers(count) => (count != workers).then_some(Self::ScaleWorkers(workers)),
            Self::StopApi => Some(Self::StartApi),
            Self::StartWorkers | Self::ResumeWorkers | Self::StartApi => None,
        }
    }
}

impl fmt::Display for ControlAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StopWorkers => f.write_str("stop the workers"),
            Self::StartWorkers => f.write_str("start the workers"),
            Self::PauseWorkers => f.write_str("pause the workers"),
            Self::ResumeWorkers => f.write_str("resume the workers"),
            Self::ScaleWorkers(count) => write!(f, "scale the workers to {count}"),
            Self::StopApi => f.write_str("stop the API"),
            Self::StartApi => f.write_str("start the API"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_changes_a_system_can_be_taken_back_with_what_a_check_has_required() {
        for told in [
            ControlAction::StopWorkers,
            ControlAction::PauseWorkers,
            ControlAction::ScaleWorkers(3),
            ControlAction::StopApi,
        ] {
            let back = told.taken_back_by(1).expect("something takes it back");
            assert_eq!(back.needs(), told.needs());
            assert_eq!(back.taken_back_by(1), None, "{back}");
        }
    }
}
