//! What keeps a run from harming a system that somebody else runs, and leaves it as it was.

use std::path::Path;
use std::sync::Arc;

use super::brake::Brake;
use crate::cleanup::CleanupJournal;
use crate::control::Commands;
use crate::journal::JournalError;
use crate::redact::Redactor;
use crate::runner::Interrupt;
use crate::target::Target;

/// What goes with every access to a system that somebody else runs.
#[derive(Clone, Debug)]
pub(crate) struct Safeguards {
    /// What may end the run.
    pub(crate) brake: Arc<Brake>,
    /// Where everything that is created or changed is written down.
    pub(crate) cleanup: Arc<CleanupJournal>,
    /// How its parts are stopped and put back.
    pub(crate) commands: Arc<Commands>,
}

impl Safeguards {
    /// Safeguards that write to the directory of a run and may end it.
    pub(crate) fn open(
        target: &Target,
        run: &Path,
        redactor: &Arc<Redactor>,
        interrupt: Interrupt,
    ) -> Result<Self, JournalError> {
        let cleanup = Arc::new(CleanupJournal::open(run, Arc::clone(redactor))?);
        let commands = Commands::new(target.control.clone(), Arc::clone(&cleanup));
        Ok(Self {
            brake: Arc::new(Brake::new(
                &target.safety,
                target.requests_per_second(),
                interrupt,
            )),
            cleanup,
            commands: Arc::new(commands),
        })
    }
}
