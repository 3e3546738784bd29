//! A run in a process of its own: waits for it, and terminates it on an interrupt.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use cutover_evidence::interrupt::Interrupt;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::time::timeout;

/// How long a terminated run may take to stop its stacks.
const GRACE: Duration = Duration::from_secs(30);

/// Waits for a run to exit. After an interrupt it is terminated, and killed if it does not exit in time.
pub(crate) async fn wait(mut child: Child, interrupt: &Interrupt) -> io::Result<ExitStatus> {
    tokio::select! {
        exited = child.wait() => return exited,
        _ = interrupt.asked() => {}
    }
    let process = child
        .id()
        .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(process) = process {
        // The run stops its own stacks; one that has just exited needs no signal.
        let _ = kill_process(process, Signal::TERM);
    }
    if let Ok(exited) = timeout(GRACE, child.wait()).await {
        return exited;
    }
    child.kill().await?;
    child.wait().await
}
