//! Runs the stand-ins alone, for a pipeline that is already deployed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::OnceCell;

use super::services::Service;
use super::spec::CommandLine;
use super::stack_dir::StackDir;
use super::stack_error::StackError;
use super::start::start_standins;

/// Makes the settings of the stand-ins from the directory for their objects.
type Settings = Box<dyn Fn(PathBuf) -> Value + Send + Sync>;

/// Stand-ins outside of a stack, started or not.
pub struct StandinHost {
    program: CommandLine,
    settings: Settings,
    running: OnceCell<(Service, Arc<StackDir>)>,
}

impl fmt::Debug for StandinHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandinHost")
            .field("program", &self.program)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}

impl StandinHost {
    /// Prepares the stand-ins without starting them; `program` is the binary that contains them.
    pub fn new(
        program: &Path,
        settings: impl Fn(PathBuf) -> Value + Send + Sync + 'static,
    ) -> Self {
        Self {
            program: CommandLine::new(program, &["standins"]),
            settings: Box::new(settings),
            running: OnceCell::new(),
        }
    }

    /// Starts the stand-ins and waits until they are ready. They are stopped when this value is dropped.
    ///
    /// # Errors
    /// If they do not start.
    pub async fn start(&self) -> Result<(), StackError> {
        let started = async || {
            let stack_dir = Arc::new(StackDir::create(&std::env::temp_dir())?);
            let settings = (self.settings)(stack_dir.storage());
            let service = start_standins(&self.program, &settings, &stack_dir).await?;
            Ok::<_, StackError>((service, stack_dir))
        };
        self.running.get_or_try_init(started).await.map(drop)
    }

    /// Stops the stand-ins and removes their objects; does nothing if they were never started.
    ///
    /// # Errors
    /// If a process or a file could not be removed.
    pub async fn stop(&self) -> Result<(), StackError> {
        if let Some((_, stack_dir)) = self.running.get() {
            let stack_dir = Arc::clone(stack_dir);
            tokio::task::spawn_blocking(move || stack_dir.teardown()).await??;
        }
        Ok(())
    }
}
