//! Whether the stand-ins of an attached target run already, or this run must start them.

use std::path::{Path, PathBuf};

use crate::target_file::Target;
use cutover_contract::contract::Contract;
use cutover_contract::standin::{StandinSettings, StandinStatus, check_ports_free};
use cutover_evidence::redact::Redactor;
use cutover_stack::{StandinHost, SweepScope, sweep};
use serde_json::json;

/// Whether a run must start the stand-ins of its target.
#[derive(Debug)]
pub enum StandinsMode {
    /// The target has no stand-ins.
    Unused,
    /// They run already, and keep running.
    External,
    /// This run starts and stops them.
    Managed(Box<StandinHost>),
}

impl StandinsMode {
    /// Detects whether the stand-ins run. If not, prepares to start them.
    ///
    /// Stand-ins of a killed run are removed first: they hold the ports, and may accept other keys.
    ///
    /// # Errors
    /// Where they do not run and cannot be started: without keys, or on a port that is taken.
    pub async fn detect(
        target: &Target,
        contract: &Contract,
        program: &Path,
        redactor: &Redactor,
    ) -> anyhow::Result<Self> {
        let Some(addresses) = &target.standins else {
            return Ok(Self::Unused);
        };
        let config = target.standin_config()?;
        if config.is_some() {
            sweep(&std::env::temp_dir(), SweepScope::Abandoned).await?;
        }
        let endpoints = addresses.endpoints();
        if StandinStatus::of(&endpoints).await? == StandinStatus::Running {
            return Ok(Self::External);
        }
        let Some(config) = config else {
            anyhow::bail!(
                "target '{}': no stand-ins answer at {}, key 'standins.control'; start them, or add [standins.keys] \
                 so that cutover can start them",
                target.name,
                endpoints.control
            );
        };
        check_ports_free(&endpoints, config.bind())?;
        let settings = config.settings(contract, PathBuf::new(), redactor)?;
        let settings = move |storage_dir| {
            let settings = StandinSettings {
                storage_dir,
                ..settings.clone()
            };
            json!(settings)
        };
        Ok(Self::Managed(Box::new(StandinHost::new(program, settings))))
    }

    /// The stand-ins that this run starts and stops.
    pub fn host(self) -> Option<StandinHost> {
        match self {
            Self::Unused | Self::External => None,
            Self::Managed(host) => Some(*host),
        }
    }
}
