//! One process of a stack: start, end, pause and restart it, and read what it said.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::body::{Birth, Order};
use super::recipe::Recipe;
use crate::containers::ContainerError;
use crate::log;
use crate::mark::ProcessIdentity;
use crate::site::{StackDir, StackDirError};

/// How long a process gets until it serves.
const START_UP: Duration = Duration::from_secs(20);

/// How long a killed process gets to disappear.
const KILLED: Duration = Duration::from_secs(5);

/// How often we look whether a process serves.
const LOOK: Duration = Duration::from_millis(5);

/// How many lines of its log an error shows.
pub(super) const SHOWN: usize = 15;

/// A process that did not do as it was told.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program could not be run.
    #[error("run '{}' as '{process}'", program.display())]
    Spawn {
        /// The process.
        process: String,
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The process ended before it served, or with a failure.
    #[error("keep '{process}' running: it ended with {status}; it said:\n{tail}")]
    Died {
        /// The process.
        process: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        tail: String,
    },
    /// The process runs but does not serve.
    #[error("wait for '{process}': it did not serve within {waited:?}; it said:\n{tail}")]
    NotReady {
        /// The process.
        process: String,
        /// How long we waited.
        waited: Duration,
        /// The end of its log.
        tail: String,
    },
    /// The process does not end.
    #[error("end '{process}': it still runs after {waited:?}")]
    StillRunning {
        /// The process.
        process: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The process was never started.
    #[error("reach '{process}': it was never started")]
    NeverStarted {
        /// The process.
        process: String,
    },
    /// The process could not be signalled.
    #[error("signal '{process}'")]
    Signal {
        /// The process.
        process: String,
        /// Why.
        source: rustix::io::Errno,
    },
    /// Docker does not do as it was told.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The stack's directory does not take its log or its entry.
    #[error(transparent)]
    StackDir(#[from] StackDirError),
}

/// A process of a stack; it can be restarted and keeps its address.
#[derive(Debug)]
pub struct Process {
    recipe: Recipe,
    site: Arc<StackDir>,
    log: PathBuf,
    running: Mutex<Option<Running>>,
    paused: AtomicBool,
}

/// One life of a process.
#[derive(Clone, Debug)]
struct Running {
    mark: ProcessIdentity,
    exit: watch::Receiver<Option<ExitStatus>>,
    log_from: u64,
}

impl Process {
    /// Prepares a process without starting it.
    pub(crate) fn new(recipe: Recipe, site: Arc<StackDir>) -> Result<Self, StackDirError> {
        Ok(Self {
            log: site.log(&recipe.name)?,
            recipe,
            site,
            running: Mutex::new(None),
            paused: AtomicBool::new(false),
        })
    }

    /// What the process is called: `postgres`, `standins`, `api`, `worker-1`.
    pub fn name(&self) -> &str {
        &self.recipe.name
    }

    /// Where its standard output and error go.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The process as it runs now, or ran last.
    pub fn mark(&self) -> Option<ProcessIdentity> {
        self.life().map(|life| life.mark)
    }

    /// Whether the process is there; a paused one is.
    pub fn is_running(&self) -> bool {
        self.life().is_some_and(|life| life.exit.borrow().is_none())
    }

    /// Whether the process was paused and not resumed.
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// How the process ended, if it has.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.life().and_then(|life| *life.exit.borrow())
    }

    /// The last lines that the process wrote, over all its lives.
    pub fn log_tail(&self, lines: usize) -> String {
        log::tail(&self.log, 0, lines)
    }

    /// How long the log is; a position for [`log_since`](Self::log_since).
    pub fn log_length(&self) -> u64 {
        log::length(&self.log)
    }

    /// What the process wrote at or after a position of its log.
    pub fn log_since(&self, position: u64) -> String {
        log::since(&self.log, position)
    }

    /// Starts the process unless it runs, and waits until it serves.
    pub async fn start(&self) -> Result<(), ProcessError> {
        if !self.is_running() {
            self.begin().await?;
        }
        self.ready().await
    }

    /// Waits until the process serves.
    pub async fn ready(&self) -> Result<(), ProcessError> {
        let life = self.expect_life()?;
        let started = Instant::now();
        loop {
            if let Some(status) = *life.exit.borrow() {
                return Err(self.died(status, &life));
            }
            if self.serves().await {
                return Ok(());
            }
            if started.elapsed() >= START_UP {
                return Err(ProcessError::NotReady {
                    process: self.name().to_owned(),
                    waited: started.elapsed(),
                    tail: log::tail(&self.log, life.log_from, SHOWN),
                });
            }
            sleep(LOOK).await;
        }
    }

    /// Whether the process serves at this moment.
    pub async fn serves(&self) -> bool {
        let Some(life) = self.life() else {
            return false;
        };
        let readiness = &self.recipe.readiness;
        let holds = readiness
            .holds(life.mark.pid, &self.log, life.log_from)
            .await;
        // Somebody else may answer at our address; a process that could not bind it is gone by then.
        holds && life.exit.borrow().is_none()
    }

    /// Asks the process to end in good order and waits for it.
    ///
    /// # Errors
    /// [`ProcessError::StillRunning`] after the grace period; the process is then left as it is.
    pub async fn terminate(&self, grace: Duration) -> Result<ExitStatus, ProcessError> {
        self.order(Order::Graceful).await?;
        self.exited(grace).await
    }

    /// Ends the process at once, as a crash would; PostgreSQL takes its own children with it.
    pub async fn kill(&self) -> Result<ExitStatus, ProcessError> {
        self.order(Order::End).await?;
        self.resume().await?;
        self.exited(KILLED).await
    }

    /// Waits until the process has ended.
    pub async fn exited(&self, within: Duration) -> Result<ExitStatus, ProcessError> {
        let mut exit = self.expect_life()?.exit;
        let ended = timeout(within, exit.wait_for(Option::is_some)).await;
        match ended {
            Ok(Ok(status)) if status.is_some() => Ok(status.unwrap_or_default()),
            _ => Err(ProcessError::StillRunning {
                process: self.name().to_owned(),
                waited: within,
            }),
        }
    }

    /// Freezes the process: its connections stay open and nothing answers.
    pub async fn pause(&self) -> Result<(), ProcessError> {
        self.order(Order::Freeze).await?;
        self.paused.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Lets a paused process go on.
    pub async fn resume(&self) -> Result<(), ProcessError> {
        self.order(Order::Thaw).await?;
        self.paused.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Kills the process if it runs, starts it at the same address and waits until it serves.
    pub async fn restart(&self) -> Result<(), ProcessError> {
        if self.is_running() {
            self.kill().await?;
        }
        self.start().await
    }

    async fn order(&self, order: Order) -> Result<(), ProcessError> {
        let mark = self.expect_life()?.mark;
        self.recipe.order(mark, order).await
    }

    fn life(&self) -> Option<Running> {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn expect_life(&self) -> Result<Running, ProcessError> {
        self.life().ok_or_else(|| ProcessError::NeverStarted {
            process: self.name().to_owned(),
        })
    }

    /// Where the log of the present life begins.
    pub(crate) fn log_from(&self) -> u64 {
        self.life().map_or(0, |life| life.log_from)
    }

    fn died(&self, status: ExitStatus, life: &Running) -> ProcessError {
        ProcessError::Died {
            process: self.name().to_owned(),
            status,
            tail: log::tail(&self.log, life.log_from, SHOWN),
        }
    }

    async fn begin(&self) -> Result<(), ProcessError> {
        let log_from = log::length(&self.log);
        let Birth { mark, exit } = self.recipe.begin(&self.site, &self.log).await?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(Running {
            mark,
            exit,
            log_from,
        });
        Ok(())
    }
}
