//! A session: everything that lives from the first trial of a run to its last.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_reports::record::{Plan, RunEvent};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::execute::{TrialEnv, TrialResult, execute};
use crate::lane::{SutClients, SutConfig};
use crate::leaks;
use crate::reference::ReferenceSystem;
use crate::run_directory::{RunDirectory, RunDirectoryError};
use crate::runner::system::{Attached, System, SystemSpec, learn_credentials};
use crate::safety::Safeguards;
use crate::suite::Case;
use crate::target_file::Target;
use cutover_contract::contract::{Contract, CreationLog as _};
use cutover_evidence::interrupt::Interrupt;
use cutover_evidence::journal::{JournalError, Recorder};
use cutover_evidence::redact::Redactor;
use cutover_stack::{Stack, StackInfo, StackPool, SweepScope, sweep};

/// A session that cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The run directory cannot be written.
    #[error(transparent)]
    Directory(#[from] RunDirectoryError),
    /// The operating system gives no threads or no signals.
    #[error("start the runtime")]
    Runtime(#[from] std::io::Error),
    /// What is created could not be written down.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Everything that lives from the first trial of a run to its last.
pub struct Session {
    /// What the run is to do.
    pub plan: Plan,
    /// The request to stop.
    pub interrupt: Interrupt,
    runtime: Runtime,
    directory: RunDirectory,
    contract: Arc<Contract>,
    redactor: Arc<Redactor>,
    reference: &'static dyn ReferenceSystem,
    lanes: Option<StackPool>,
    system: System,
    shared: OnceCell<Arc<SutClients>>,
    began: Instant,
}

/// What a session is made of.
pub struct SessionConfig<'a> {
    /// The target.
    pub target: &'a Target,
    /// The contract that the system is held to.
    pub contract: Contract,
    /// What the run is to do.
    pub plan: Plan,
    /// The directory of all runs.
    pub output: &'a Path,
    /// Knows the secrets that were resolved so far.
    pub redactor: Arc<Redactor>,
    /// How the system of a stack is reached.
    pub reference: &'static dyn ReferenceSystem,
    /// What to run against.
    pub system: SystemSpec,
}

impl Session {
    /// Opens the run directory. Starts no stack and connects to nothing.
    ///
    /// # Errors
    /// Where the run directory cannot be written, or there are no threads.
    pub fn open(from: SessionConfig<'_>) -> Result<Self, SessionError> {
        let redactor = from.redactor;
        let directory = RunDirectory::open(from.output, &from.plan, Arc::clone(&redactor))?;
        leaks::plant_canary(directory.path(), &redactor)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let interrupt = Interrupt::new();
        let (system, lanes) = match from.system {
            SystemSpec::OwnStacks { spec, lanes } => {
                (System::OwnStacks, Some(StackPool::new(spec, lanes)))
            }
            SystemSpec::SharedStack { stack, spec, lanes } => {
                let shared = System::SharedStack(Box::new(stack));
                (shared, Some(StackPool::new(spec, lanes)))
            }
            SystemSpec::Attached(spec) => {
                let run = directory.path();
                let target = from.target;
                let open = || {
                    let rate = target.requests_per_second();
                    let (safety, control) = (&target.safety, &target.control);
                    Safeguards::open(safety, rate, control, run, &redactor, interrupt.clone())
                };
                (System::Attached(Box::new(spec.guarded(open)?)), None)
            }
        };
        Ok(Self {
            interrupt,
            system,
            lanes,
            plan: from.plan,
            runtime,
            directory,
            contract: Arc::new(from.contract),
            redactor,
            reference: from.reference,
            shared: OnceCell::new(),
            began: Instant::now(),
        })
    }

    /// The run directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Lets Ctrl-C and SIGTERM ask for an orderly end.
    pub fn listen_for_signals(&self) -> std::io::Result<()> {
        self.interrupt.listen(self.runtime.handle())
    }

    /// Removes what killed runs left, starts the shared stack and asks it who it is. Gives how long that took
    /// since the session was opened.
    pub fn start(&self) -> anyhow::Result<Duration> {
        self.runtime.block_on(async {
            let coming_up = async {
                match self.system.attached() {
                    None => drop(sweep(&std::env::temp_dir(), SweepScope::Abandoned).await?),
                    Some(attached) => {
                        if let Some(standins) = &attached.standins {
                            standins.start().await?;
                        }
                    }
                }
                self.shared_lane().await?;
                Ok(self.identify().await?)
            };
            tokio::select! {
                up = coming_up => up.map(|()| self.began.elapsed()),
                by = self.interrupt.asked() => anyhow::bail!("interrupted by {by}"),
            }
        })
    }

    /// Ends the run after so long, unless the task is aborted before.
    pub fn end_after(&self, budget: Duration) -> JoinHandle<()> {
        let interrupt = self.interrupt.clone();
        self.runtime.spawn(async move {
            tokio::time::sleep(budget).await;
            interrupt.ask("the time budget of its profile ([profile] time_budget of the policy)");
        })
    }

    /// Whether the stand-ins of the target end with this run.
    pub fn serves_standins(&self) -> bool {
        let attached = self.system.attached();
        attached.is_some_and(|attached| attached.standins.is_some())
    }

    /// Runs a check once, on the shared stack or on one of its own.
    pub fn run(&self, case: &Case) -> TrialResult {
        let around = TrialEnv {
            runtime: self.runtime.handle(),
            directory: &self.directory,
            interrupt: &self.interrupt,
            seed: self.plan.seed,
        };
        // A deployed system has no lanes: there, a check that must be alone is.
        let (Some(workers), Some(lanes)) = (case.check.workers, &self.lanes) else {
            return execute(case, &around, async || self.shared_lane().await);
        };
        let lease = RefCell::new(None);
        let executed = execute(case, &around, async || {
            let own = if case.check.fresh_stack {
                lanes.fresh().await?
            } else {
                lanes.exclusive().await?
            };
            let stack = own.stack();
            lease.replace(Some(own));
            stack.scale_workers(workers).await?;
            self.lane(stack.info(), Some(Arc::clone(&stack))).await
        });
        if let Some(own) = lease.into_inner() {
            self.runtime.block_on(own.release());
        }
        executed
    }

    /// Notes something that no single check answers for.
    pub fn incident(&self, what: String) -> Result<(), JournalError> {
        self.directory.note(RunEvent::Incident { what })
    }

    /// Asks the system again who it is, stops every stack and ends the run's journal.
    pub fn close(self) -> Result<(), JournalError> {
        let taken_back = self.runtime.block_on(self.take_back());
        let identified = self.runtime.block_on(self.identify());
        let stopped = self.runtime.block_on(self.stop());
        taken_back?;
        identified?;
        self.note_traffic()?;
        if let Err(error) = stopped {
            self.incident(format!("the stack was not taken down: {error:#}"))?;
        }
        // Where many processes write one run, none of them knows the secrets of all.
        if !self.system.is_shared() {
            self.withhold_leaks()?;
        }
        if let Some(by) = self.interrupt.by() {
            let by = by.to_owned();
            self.directory.note(RunEvent::Interrupted { by })?;
        }
        let duration_ms = self.began.elapsed().as_secs_f64() * 1e3;
        self.directory.note(RunEvent::Finished { duration_ms })
    }

    /// Notes what has passed through each link.
    fn note_traffic(&self) -> Result<(), JournalError> {
        let attached = self.system.attached();
        let links = attached.and_then(|attached| attached.links.as_ref());
        for (name, traffic) in links.into_iter().flat_map(|links| links.traffic()) {
            self.directory.note(RunEvent::LinkTraffic {
                link: name.to_string(),
                connections: traffic.connections,
                sent_bytes: traffic.sent,
                received_bytes: traffic.received,
            })?;
        }
        Ok(())
    }

    /// Ends everything that was started.
    async fn stop(&self) -> anyhow::Result<()> {
        let lanes = match &self.lanes {
            Some(lanes) => lanes.stop_all().await,
            None => Ok(()),
        };
        let attached = self.system.attached();
        if let Some(standins) = attached.and_then(|attached| attached.standins.as_ref()) {
            standins.stop().await?;
        }
        Ok(lanes?)
    }

    /// Empties what holds a secret in spite of everything, and notes it.
    fn withhold_leaks(&self) -> Result<(), JournalError> {
        match leaks::quarantine(self.path(), &self.redactor) {
            Ok(files) => files
                .into_iter()
                .try_for_each(|file| self.directory.note(RunEvent::Leaked { file })),
            Err(error) => self.incident(format!(
                "the evidence was not searched for secrets: {error}"
            )),
        }
    }

    /// Notes what the system says it is; null where it does not say.
    async fn identify(&self) -> Result<(), JournalError> {
        let Some(lane) = self.shared.get() else {
            return Ok(());
        };
        let identity = lane.identity().await.unwrap_or_default();
        self.directory.note(RunEvent::Identified { identity })
    }

    async fn shared_lane(&self) -> anyhow::Result<Arc<SutClients>> {
        let lane = self
            .shared
            .get_or_try_init(async || match (&self.system, &self.lanes) {
                (System::Attached(attached), _) => self.attach(attached).await,
                (System::SharedStack(stack), _) => self.lane(stack, None).await,
                (System::OwnStacks, Some(lanes)) => {
                    self.lane(lanes.shared().await?.info(), None).await
                }
                (System::OwnStacks, None) => anyhow::bail!("a session without stacks"),
            });
        let lane = lane.await?;
        lane.accounts().renew().await?;
        Ok(Arc::clone(lane))
    }

    /// A lane to a system that somebody else runs, after its tenants were let in.
    async fn attach(&self, attached: &Attached) -> anyhow::Result<Arc<SutClients>> {
        let opening = SutConfig {
            connection: attached.connection.clone(),
            stack: None,
            safeguards: Some(&attached.safeguards),
            links: attached.links.clone(),
            contract: &self.contract,
            redactor: &self.redactor,
        };
        let lane = SutClients::open(opening).await?;
        lane.two_tenants_are_let_in().await?;
        Ok(Arc::new(lane))
    }

    /// Takes back what trials could not, and says what is still left on a system that is not ours.
    async fn take_back(&self) -> Result<(), JournalError> {
        let (Some(attached), Some(lane)) = (self.system.attached(), self.shared.get()) else {
            return Ok(());
        };
        if let Err(error) = lane.put_back(&Recorder::silent()).await {
            let what = format!(
                "the target was not put back: {error:#}; `cutover sweep --target` tries again"
            );
            self.incident(what)?;
        }
        if let Err(error) = lane.accounts().renew().await {
            self.incident(format!("no tokens to clean up with: {error:#}"))?;
        }
        let cleanup = &attached.safeguards.cleanup;
        for trace in cleanup.left() {
            if lane.removes(trace).await {
                cleanup.removed(trace.document_id);
            }
        }
        if let Some(failure) = cleanup.take_failure() {
            return Err(failure);
        }
        let left = cleanup.left().len();
        if left > 0 {
            let what = format!(
                "{left} documents were left behind on the target; `cutover sweep --target` removes them"
            );
            self.incident(what)?;
        }
        Ok(())
    }

    async fn lane(
        &self,
        info: &StackInfo,
        stack: Option<Arc<Stack>>,
    ) -> anyhow::Result<Arc<SutClients>> {
        learn_credentials(info, &self.redactor);
        let opening = SutConfig {
            connection: self.reference.connection(info)?,
            stack,
            safeguards: None,
            links: None,
            contract: &self.contract,
            redactor: &self.redactor,
        };
        Ok(Arc::new(SutClients::open(opening).await?))
    }
}
