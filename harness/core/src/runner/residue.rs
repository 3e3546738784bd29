//! Residue: what killed runs left on an attached target, and its removal.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cutover_reports::record::{PLAN_FILE, Plan};

use crate::cleanup::{CLEANUP_FILE, CleanupJournal, read_outstanding};
use crate::control::Commands;
use crate::runner::StandinsMode;
use crate::sut_clients::{SutClients, SutConfig};
use crate::target_file::Target;
use cutover_contract::contract::Contract;
use cutover_contract::contract::CreationLog as _;
use cutover_evidence::journal::Recorder;
use cutover_evidence::redact::Redactor;

/// How long the target may take to become healthy after it was restored.
const HEALTHY_TIMEOUT: Duration = Duration::from_mins(1);

/// The result of a removal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residue {
    /// Documents that were deleted.
    pub removed: usize,
    /// Documents that still exist, or may exist.
    pub left: usize,
    /// Control actions that restored the target.
    pub restored: usize,
}

/// Removes what the runs of a directory left on a target.
pub async fn remove_residue(
    runs: &Path,
    target: &Target,
    contract: Contract,
) -> anyhow::Result<Residue> {
    let attachment = target.attachment().with_context(|| {
        format!(
            "target '{}' has no [api]; to sweep stacks that cutover started, leave out --target",
            target.name
        )
    })?;
    let redactor = Arc::new(Redactor::default());
    let program = env::current_exe().context("find the binary of cutover")?;
    // The target deletes from its storage, and tenants may have to log in: both may be stand-ins.
    let standins = StandinsMode::detect(target, &contract, &program, &redactor)
        .await?
        .host();
    if let Some(standins) = &standins {
        standins.start().await?;
    }
    let clients = SutClients::open(SutConfig {
        connection: attachment.connection(&redactor)?,
        stack: None,
        safeguards: None,
        links: None,
        contract: &Arc::new(contract),
        redactor: &redactor,
    })
    .await?;
    if !target.links.is_empty() {
        // Until the links were up, the system had no connection to its dependencies.
        clients.wait_until_healthy(HEALTHY_TIMEOUT).await?;
    }
    let mut residue = Residue::default();
    for run in runs_with_residue(runs, target)? {
        clean_run(&run, target, &clients, &redactor, &mut residue).await?;
    }
    if let Some(standins) = standins {
        standins.stop().await?;
    }
    Ok(residue)
}

/// Restores the target after a run, and deletes its documents.
async fn clean_run(
    run: &Path,
    target: &Target,
    clients: &SutClients,
    redactor: &Arc<Redactor>,
    residue: &mut Residue,
) -> anyhow::Result<()> {
    let journal = Arc::new(CleanupJournal::open(run, Arc::clone(redactor))?);
    let commands = Commands::new(target.control.clone(), Arc::clone(&journal));
    residue.restored += journal.pending_undo().len();
    if commands.restore(&Recorder::silent()).await? {
        clients.wait_until_healthy(HEALTHY_TIMEOUT).await?;
    }
    let before = journal.documents().len();
    // A second time, because a later document may have shown which answers mean something.
    for _ in 0..2 {
        for document in journal.documents() {
            if clients.delete_document(document).await {
                journal.removed(document.document_id);
            }
        }
    }
    let left = journal.documents().len();
    residue.removed += before - left;
    residue.left += left;
    match journal.take_failure() {
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}

/// The runs against this target that left residue.
fn runs_with_residue(runs: &Path, target: &Target) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(runs).with_context(|| {
        format!(
            "read the runs in '{}'; choose their directory with --output",
            runs.display()
        )
    })?;
    let is_of_target = |run: &PathBuf| {
        let plan = fs::read_to_string(run.join(PLAN_FILE)).ok();
        let plan = plan.and_then(|text| serde_json::from_str::<Plan>(&text).ok());
        plan.is_some_and(|plan| plan.target.name == target.name)
    };
    let has_residue = |run: &PathBuf| {
        let outstanding = read_outstanding(&run.join(CLEANUP_FILE));
        outstanding.is_ok_and(|outstanding| !outstanding.is_empty())
    };
    let runs = entries.flatten().map(|entry| entry.path());
    Ok(runs
        .filter(|run| !run.is_symlink() && has_residue(run) && is_of_target(run))
        .collect())
}
