//! Stand-ins for a pipeline that is already deployed: a stack of one process, which ends with the run.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::OnceCell;

use super::process::Process;
use super::site::StackDir;
use super::spec::CommandLine;
use super::start::{StackError, start_standins};

/// Makes the settings of the stand-ins, given the directory of their objects.
type Settings = Box<dyn Fn(PathBuf) -> Value + Send + Sync>;

/// Stand-ins that are not started yet, or run.
pub struct StandinHost {
    program: CommandLine,
    settings: Settings,
    running: OnceCell<(Process, Arc<StackDir>)>,
}

impl fmt::Debug for StandinHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("StandinHost");
        shown.field("program", &self.program);
        shown
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}

impl StandinHost {
    /// Prepares stand-ins; `program` is the binary that carries them.
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

    /// Starts them and waits until they serve. They end when this value does, at the latest.
    ///
    /// # Errors
    /// Where they do not start.
    pub async fn start(&self) -> Result<(), StackError> {
        let started = async || {
            let site = Arc::new(StackDir::create(&std::env::temp_dir())?);
            let settings = (self.settings)(site.storage());
            let process = start_standins(&self.program, &settings, &site).await?;
            Ok::<_, StackError>((process, site))
        };
        self.running.get_or_try_init(started).await.map(drop)
    }

    /// Ends them and removes what they stored; does nothing where they were never started.
    ///
    /// # Errors
    /// Where something is left.
    pub async fn stop(&self) -> Result<(), StackError> {
        if let Some((_, site)) = self.running.get() {
            let site = Arc::clone(site);
            tokio::task::spawn_blocking(move || site.teardown()).await??;
        }
        Ok(())
    }
}
