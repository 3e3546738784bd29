//! What keeps a run from harming a system that somebody else runs, and leaves it as it was.

use std::path::Path;
use std::sync::Arc;

use super::limits::RunLimits;
use super::settings::SafetySettings;
use crate::cleanup::CleanupJournal;
use crate::control::{Commands, ControlSettings};
use cutover_contract::contract::CreationLog;
use cutover_contract::probe::RequestGate;
use cutover_evidence::interrupt::Interrupt;
use cutover_evidence::journal::JournalError;
use cutover_evidence::redact::Redactor;

/// What goes with every access to a system that somebody else runs.
#[derive(Clone, Debug)]
pub struct Safeguards {
    /// What may end the run.
    pub(crate) brake: Arc<RunLimits>,
    /// Where everything that is created or changed is written down.
    pub cleanup: Arc<CleanupJournal>,
    /// How its parts are stopped and put back.
    pub(crate) commands: Arc<Commands>,
}

impl Safeguards {
    /// Where documents are written down before they are created.
    pub fn creation_log(&self) -> Arc<dyn CreationLog> {
        Arc::<CleanupJournal>::clone(&self.cleanup)
    }

    /// What every request to the system passes.
    pub fn gate(&self) -> Arc<dyn RequestGate> {
        Arc::<RunLimits>::clone(&self.brake)
    }

    /// Safeguards that write to the directory of a run and may end it.
    pub fn open(
        safety: &SafetySettings,
        requests_per_second: Option<f64>,
        control: &ControlSettings,
        run: &Path,
        redactor: &Arc<Redactor>,
        interrupt: Interrupt,
    ) -> Result<Self, JournalError> {
        let cleanup = Arc::new(CleanupJournal::open(run, Arc::clone(redactor))?);
        let commands = Commands::new(control.clone(), Arc::clone(&cleanup));
        Ok(Self {
            brake: Arc::new(RunLimits::new(safety, requests_per_second, interrupt)),
            cleanup,
            commands: Arc::new(commands),
        })
    }
}
