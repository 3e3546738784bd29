//! Residue: what killed runs created and changed on a target that is not ours, and how it is taken back.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cutover_reports::record::{PLAN_FILE, Plan};

use crate::cleanup::{CLEANUP_FILE, CleanupJournal, remains_in};
use crate::control::Commands;
use crate::lane::{SutClients, SutConfig};
use crate::runner::StandinsMode;
use crate::target_file::Target;
use cutover_contract::contract::Contract;
use cutover_contract::contract::CreationLog as _;
use cutover_evidence::journal::Recorder;
use cutover_evidence::redact::Redactor;

/// How long the target may take to answer after it was put back.
const ANSWERS_WITHIN: Duration = Duration::from_mins(1);

/// What became of the residue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residue {
    /// Documents that are gone now.
    pub removed: usize,
    /// Documents that are still there, or may be.
    pub left: usize,
    /// Instructions that put the target back as it was.
    pub put_back: usize,
}

/// Removes what the runs of a directory have left on a target.
pub async fn remove_residue(
    runs: &Path,
    target: &Target,
    contract: Contract,
) -> anyhow::Result<Residue> {
    let attachment = target.attachment().with_context(|| {
        format!(
            "target '{}' has no [api]: a stack of our own is swept without --target",
            target.name
        )
    })?;
    let redactor = Arc::new(Redactor::default());
    let program = env::current_exe().context("find cutover's own binary")?;
    // What deletes a document asks the storage for it, and its tenants may have to log in.
    let standins = StandinsMode::of(target, &contract, &program, &redactor)
        .await?
        .host();
    if let Some(standins) = &standins {
        standins.start().await?;
    }
    let lane = SutClients::open(SutConfig {
        connection: attachment.connection(&redactor)?,
        stack: None,
        safeguards: None,
        links: None,
        contract: &Arc::new(contract),
        redactor: &redactor,
    })
    .await?;
    if !target.links.is_empty() {
        // A system that was cut off until now may need a moment.
        lane.answers(ANSWERS_WITHIN).await?;
    }
    let mut residue = Residue::default();
    for run in with_residue(runs, target)? {
        let journal = Arc::new(CleanupJournal::open(&run, Arc::clone(&redactor))?);
        let commands = Commands::new(target.control.clone(), Arc::clone(&journal));
        residue.put_back += journal.owed().len();
        if commands.put_back(&Recorder::silent()).await? {
            lane.answers(ANSWERS_WITHIN).await?;
        }
        for trace in journal.left() {
            if lane.removes(trace).await {
                journal.removed(trace.document_id);
                residue.removed += 1;
            } else {
                residue.left += 1;
            }
        }
        if let Some(failure) = journal.take_failure() {
            return Err(failure.into());
        }
    }
    if let Some(standins) = standins {
        standins.stop().await?;
    }
    Ok(residue)
}

/// The runs against this target that have left something.
fn with_residue(runs: &Path, target: &Target) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(runs).with_context(|| {
        format!(
            "read the runs in '{}'; name their directory with --output",
            runs.display()
        )
    })?;
    let is_of_target = |run: &PathBuf| {
        let plan = fs::read_to_string(run.join(PLAN_FILE)).ok();
        let plan = plan.and_then(|text| serde_json::from_str::<Plan>(&text).ok());
        plan.is_some_and(|plan| plan.target.name == target.name)
    };
    let has_left =
        |run: &PathBuf| remains_in(&run.join(CLEANUP_FILE)).is_ok_and(|left| !left.is_nothing());
    let runs = entries.flatten().map(|entry| entry.path());
    Ok(runs
        .filter(|run| !run.is_symlink() && has_left(run) && is_of_target(run))
        .collect())
}
