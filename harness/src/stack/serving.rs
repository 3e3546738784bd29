//! Stand-ins for a pipeline that somebody else runs: a stack of one process, as short-lived as the run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::ledger::write_private;
use super::process::Process;
use super::site::{Site, SiteError};
use super::spec::CommandLine;
use super::start::StackError;
use super::wiring;
use crate::secret::Secret;
use crate::standin::StandinSettings;

/// Stand-ins that are not started yet, or serve.
#[derive(Debug)]
pub(crate) struct StandinHost {
    program: CommandLine,
    settings: StandinSettings,
    serving: OnceCell<(Process, Arc<Site>)>,
}

impl StandinHost {
    /// Prepares stand-ins; `program` is the binary that carries them.
    pub(crate) fn new(program: &Path, settings: StandinSettings) -> Self {
        Self {
            program: CommandLine::new(program, &["standins"]),
            settings,
            serving: OnceCell::new(),
        }
    }

    /// Every secret that they are told.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = Secret> {
        let told = &self.settings;
        [
            &told.parser_key,
            &told.embedder_key,
            &told.anon_key,
            &told.service_role_key,
            &told.jwt_secret,
        ]
        .into_iter()
        .chain(told.users.iter().map(|user| &user.password))
        .map(|secret| Secret::new(secret.as_str()))
    }

    /// Starts them and waits until they serve. They end when this value does, at the latest.
    pub(crate) async fn start(&self) -> Result<(), StackError> {
        let started = async || {
            let site = Arc::new(Site::create(&std::env::temp_dir())?);
            let settings = StandinSettings {
                storage_dir: site.storage(),
                ..self.settings.clone()
            };
            let file: PathBuf = site.directory().join("standins.json");
            write_private(&file, &settings).map_err(SiteError::from)?;
            let recipe = wiring::standin_recipe(&self.program, file);
            let process = Process::new(recipe, Arc::clone(&site))?;
            process.start().await?;
            Ok::<_, StackError>((process, site))
        };
        self.serving.get_or_try_init(started).await.map(drop)
    }

    /// Ends them and removes what they stored; nothing where they were never started.
    pub(crate) async fn stop(&self) -> Result<(), StackError> {
        if let Some((_, site)) = self.serving.get() {
            let site = Arc::clone(site);
            tokio::task::spawn_blocking(move || site.demolish()).await??;
        }
        Ok(())
    }
}
