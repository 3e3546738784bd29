//! Why a subcommand ends without a result.

use std::error::Error;

use cutover_harness::interlock::Interlock;

/// Why a subcommand ends without a result; the variants have different exit codes.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// The arguments or the configuration are wrong; nothing ran.
    Usage(anyhow::Error),
    /// A safety interlock refuses the run; nothing ran.
    Refused(Interlock),
    /// cutover failed after the run had started.
    Internal(anyhow::Error),
}

/// Errors before a run starts are errors of usage or configuration; later ones must be wrapped
/// in [`CommandError::Internal`].
impl<E: Into<anyhow::Error>> From<E> for CommandError {
    fn from(error: E) -> Self {
        match error.into().downcast() {
            Ok(interlock) => Self::Refused(interlock),
            Err(error) => Self::Usage(error),
        }
    }
}

/// An error that the user can correct: what failed, why, and the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{action}")]
pub(crate) struct UsageError {
    action: String,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
    help: String,
}

impl UsageError {
    /// `action` must complete the sentence "failed to …".
    pub(crate) fn new(
        action: impl Into<String>,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            action: action.into(),
            cause: cause.into(),
            help: help.into(),
        }
    }

    pub(crate) fn help(&self) -> &str {
        &self.help
    }
}
