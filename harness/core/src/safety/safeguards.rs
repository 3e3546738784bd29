//! The safeguards of a run on an attached target: limits, cleanup journal and control commands.

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

/// The safeguards of a run on an attached target.
#[derive(Clone, Debug)]
pub struct Safeguards {
    /// The limits that stop the run.
    pub(crate) limits: Arc<RunLimits>,
    /// The journal of everything that the run creates or changes.
    pub cleanup: Arc<CleanupJournal>,
    /// The control commands of the target.
    pub(crate) commands: Arc<Commands>,
    /// Whether the target is thrown away after the run.
    pub(crate) disposable: bool,
}

impl Safeguards {
    /// The journal of documents, written before they are created.
    pub fn creation_log(&self) -> Arc<dyn CreationLog> {
        Arc::<CleanupJournal>::clone(&self.cleanup)
    }

    /// Counts and paces every request to the target.
    pub fn gate(&self) -> Arc<dyn RequestGate> {
        Arc::<RunLimits>::clone(&self.limits)
    }

    /// Safeguards with a journal in a run directory and an interrupt that stops the run.
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
            limits: Arc::new(RunLimits::new(safety, requests_per_second, interrupt)),
            cleanup,
            commands: Arc::new(commands),
            disposable: safety.disposable,
        })
    }
}
