//! One service of a stack: start, stop, pause, restart, and its log.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::spec::ServiceSpec;
use crate::containers::ContainerError;
use crate::launch::{ProcessSignal, Started};
use crate::log;
use crate::process_identity::ProcessIdentity;
use crate::stack_dir::{StackDir, StackDirError};

/// How long a service may take to become ready.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a killed process may take to exit.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// How often readiness is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// How many lines of the log an error shows.
pub(super) const ERROR_LOG_LINES: usize = 15;

/// A service that could not be started, signalled or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The program could not be run.
    #[error("run '{}' as '{service}'", program.display())]
    Spawn {
        /// The service.
        service: String,
        /// The program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The service exited before it was ready, or a command exited with a failure.
    #[error("run '{service}': it exited with {status}; its last output:\n{tail}")]
    Died {
        /// The service.
        service: String,
        /// The exit status.
        status: ExitStatus,
        /// The end of its log.
        tail: String,
    },
    /// The service runs but is not ready.
    #[error("wait for '{service}': not ready after {waited:?}; its last output:\n{tail}")]
    NotReady {
        /// The service.
        service: String,
        /// How long we waited.
        waited: Duration,
        /// The end of its log.
        tail: String,
    },
    /// The process does not exit.
    #[error("stop '{service}': it is still running after {waited:?}")]
    StillRunning {
        /// The service.
        service: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The service was never started.
    #[error("signal '{service}': it was never started")]
    NeverStarted {
        /// The service.
        service: String,
    },
    /// The operating system refused the signal.
    #[error("signal '{service}'")]
    Signal {
        /// The service.
        service: String,
        /// The cause.
        source: rustix::io::Errno,
    },
    /// A Docker request failed.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The log or the state file in the stack's directory could not be written.
    #[error(transparent)]
    StackDir(#[from] StackDirError),
}

/// A service of a stack. It keeps its address across restarts.
#[derive(Debug)]
pub struct Service {
    spec: ServiceSpec,
    stack_dir: Arc<StackDir>,
    log: PathBuf,
    incarnation: Mutex<Option<Incarnation>>,
    paused: AtomicBool,
}

/// One run of a service, from its start to its exit.
#[derive(Clone, Debug)]
struct Incarnation {
    identity: ProcessIdentity,
    exit: watch::Receiver<Option<ExitStatus>>,
    log_start: u64,
}

impl Service {
    /// Prepares a service without starting it.
    pub(crate) fn new(spec: ServiceSpec, stack_dir: Arc<StackDir>) -> Result<Self, StackDirError> {
        Ok(Self {
            log: stack_dir.create_log(&spec.launch.name)?,
            spec,
            stack_dir,
            incarnation: Mutex::new(None),
            paused: AtomicBool::new(false),
        })
    }

    /// The name of the service: `postgres`, `standins`, `api`, `worker-1`.
    pub fn name(&self) -> &str {
        &self.spec.launch.name
    }

    /// The file with its standard output and error.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The process of the current run, or of the last one.
    pub fn identity(&self) -> Option<ProcessIdentity> {
        self.current().map(|current| current.identity)
    }

    /// The processor time that the current process has used, with its threads; zero where it cannot be read.
    pub fn processor_time(&self) -> Duration {
        let identity = self.identity();
        identity.map_or(Duration::ZERO, ProcessIdentity::processor_time)
    }

    /// Whether the process exists; a paused process counts as running.
    pub fn is_running(&self) -> bool {
        self.current()
            .is_some_and(|current| current.exit.borrow().is_none())
    }

    /// Whether the service was paused and not resumed.
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// The exit status, if the service has exited.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.current().and_then(|current| *current.exit.borrow())
    }

    /// The last lines of the log, across restarts.
    pub fn log_tail(&self, lines: usize) -> String {
        log::tail(&self.log, 0, lines)
    }

    /// The length of the log; a position for [`log_since`](Self::log_since).
    pub fn log_length(&self) -> u64 {
        log::length(&self.log)
    }

    /// The log from a position to its end.
    pub fn log_since(&self, position: u64) -> String {
        log::since(&self.log, position)
    }

    /// Starts the service unless it is running, and waits until it is ready.
    pub async fn start(&self) -> Result<(), ServiceError> {
        if !self.is_running() {
            self.launch().await?;
        }
        self.wait_until_ready().await
    }

    /// Waits until the service is ready.
    pub async fn wait_until_ready(&self) -> Result<(), ServiceError> {
        let current = self.require_started()?;
        let started = Instant::now();
        loop {
            if let Some(status) = *current.exit.borrow() {
                return Err(self.died(status, &current));
            }
            if self.is_ready().await {
                return Ok(());
            }
            if started.elapsed() >= STARTUP_TIMEOUT {
                return Err(ServiceError::NotReady {
                    service: self.name().to_owned(),
                    waited: started.elapsed(),
                    tail: log::tail(&self.log, current.log_start, ERROR_LOG_LINES),
                });
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Whether the service is ready now.
    pub async fn is_ready(&self) -> bool {
        let Some(current) = self.current() else {
            return false;
        };
        let readiness = &self.spec.readiness;
        let ready = readiness
            .is_met(current.identity.pid, &self.log, current.log_start)
            .await;
        // Another process may answer at this address; ours has exited then, because it could not bind.
        ready && current.exit.borrow().is_none()
    }

    /// Requests a graceful shutdown and waits for the exit.
    ///
    /// # Errors
    /// [`ServiceError::StillRunning`] after the grace period; the process keeps running then.
    pub async fn terminate(&self, grace: Duration) -> Result<ExitStatus, ServiceError> {
        self.signal(ProcessSignal::Terminate).await?;
        self.wait_for_exit(grace).await
    }

    /// Ends the process at once, as a crash would; PostgreSQL ends its own children too.
    pub async fn kill(&self) -> Result<ExitStatus, ServiceError> {
        self.signal(ProcessSignal::Kill).await?;
        self.resume().await?;
        self.wait_for_exit(KILL_TIMEOUT).await
    }

    /// Waits until the process has exited.
    pub async fn wait_for_exit(&self, within: Duration) -> Result<ExitStatus, ServiceError> {
        let mut exit = self.require_started()?.exit;
        let exited = timeout(within, exit.wait_for(Option::is_some)).await;
        match exited {
            Ok(Ok(status)) if status.is_some() => Ok(status.unwrap_or_default()),
            _ => Err(ServiceError::StillRunning {
                service: self.name().to_owned(),
                waited: within,
            }),
        }
    }

    /// Suspends the process: its connections stay open, but it does not answer.
    pub async fn pause(&self) -> Result<(), ServiceError> {
        self.signal(ProcessSignal::Pause).await?;
        self.paused.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Resumes a paused process.
    pub async fn resume(&self) -> Result<(), ServiceError> {
        self.signal(ProcessSignal::Resume).await?;
        self.paused.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Kills the process if it is running, starts it at the same address and waits until it is ready.
    pub async fn restart(&self) -> Result<(), ServiceError> {
        if self.is_running() {
            self.kill().await?;
        }
        self.start().await
    }

    async fn signal(&self, signal: ProcessSignal) -> Result<(), ServiceError> {
        let identity = self.require_started()?.identity;
        self.spec.signal(identity, signal).await
    }

    fn current(&self) -> Option<Incarnation> {
        self.incarnation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn require_started(&self) -> Result<Incarnation, ServiceError> {
        self.current().ok_or_else(|| ServiceError::NeverStarted {
            service: self.name().to_owned(),
        })
    }

    /// The position in the log at which the current run begins.
    pub(crate) fn log_start(&self) -> u64 {
        self.current().map_or(0, |current| current.log_start)
    }

    fn died(&self, status: ExitStatus, incarnation: &Incarnation) -> ServiceError {
        ServiceError::Died {
            service: self.name().to_owned(),
            status,
            tail: log::tail(&self.log, incarnation.log_start, ERROR_LOG_LINES),
        }
    }

    async fn launch(&self) -> Result<(), ServiceError> {
        let log_start = log::length(&self.log);
        let Started { identity, exit } = self.spec.start(&self.stack_dir, &self.log).await?;
        *self
            .incarnation
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Incarnation {
            identity,
            exit,
            log_start,
        });
        Ok(())
    }
}
