//! Who serves the stand-ins of a target that somebody else runs: others, or this run.

use std::path::{Path, PathBuf};

use crate::target_file::Target;
use cutover_contract::contract::Contract;
use cutover_contract::standin::{StandinSettings, StandinStatus, check_ports_free};
use cutover_evidence::redact::Redactor;
use cutover_stack::{StandinHost, SweepScope, sweep};
use serde_json::json;

/// Who serves the stand-ins of a target.
#[derive(Debug)]
pub enum StandinsMode {
    /// The target has none of ours.
    Nobody,
    /// They are there already, and stay.
    Others,
    /// This run, until it ends.
    Us(Box<StandinHost>),
}

impl StandinsMode {
    /// Looks whether the stand-ins are there; where they are not, prepares to serve them.
    ///
    /// What a killed run left of its own is removed first: it has the ports, and may have other keys.
    ///
    /// # Errors
    /// Where they are not there and cannot be served: without keys, on a port that is taken.
    pub async fn of(
        target: &Target,
        contract: &Contract,
        program: &Path,
        redactor: &Redactor,
    ) -> anyhow::Result<Self> {
        let Some(at) = &target.standins else {
            return Ok(Self::Nobody);
        };
        let serving = target.serving()?;
        if serving.is_some() {
            sweep(&std::env::temp_dir(), SweepScope::Abandoned).await?;
        }
        let card = at.card();
        if StandinStatus::query(&card).await? == StandinStatus::Running {
            return Ok(Self::Others);
        }
        let Some(serving) = serving else {
            anyhow::bail!(
                "target '{}': nobody serves the stand-ins whose control should be at {}; serve them, or give \
                 [standins.keys], with which cutover does",
                target.name,
                card.control
            );
        };
        check_ports_free(&card, serving.bind())?;
        let settings = serving.settings(contract, PathBuf::new(), redactor)?;
        let settings = move |storage_dir| {
            let settings = StandinSettings {
                storage_dir,
                ..settings.clone()
            };
            json!(settings)
        };
        Ok(Self::Us(Box::new(StandinHost::new(program, settings))))
    }

    /// The stand-ins that are ours to start and end.
    pub fn host(self) -> Option<StandinHost> {
        match self {
            Self::Nobody | Self::Others => None,
            Self::Us(host) => Some(*host),
        }
    }
}
