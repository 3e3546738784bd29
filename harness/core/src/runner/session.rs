//! A session: the resources of a run, from its start to its last trial.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cutover_reports::record::{Effect, Plan, RunEvent};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::execute::{BusyTarget, TrialEnv, TrialResult, execute, refuse};
use crate::inputs::CheckInputs;
use crate::leak_scan;
use crate::reference::ReferenceSystem;
use crate::run_directory::{RunDirectory, RunDirectoryError};
use crate::runner::generator_test;
use crate::runner::machine::this_machine;
use crate::runner::sut::{Attached, Sut, SutSpec, learn_credentials};
use crate::safety::Safeguards;
use crate::suite::Case;
use crate::sut_clients::{SutClients, SutConfig};
use crate::target_file::Target;
use cutover_contract::contract::{Contract, CreationLog as _, Endpoint};
use cutover_evidence::interrupt::Interrupt;
use cutover_evidence::journal::{JournalError, Recorder};
use cutover_evidence::redact::Redactor;
use cutover_stack::{Stack, StackInfo, StackPool, SweepScope, sweep};

/// A session that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The run directory cannot be written.
    #[error(transparent)]
    Directory(#[from] RunDirectoryError),
    /// The operating system provides no threads or signals.
    #[error("start the runtime")]
    Runtime(#[from] std::io::Error),
    /// A journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The resources of a run, from its start to its last trial.
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
    sut: Sut,
    shared: OnceCell<Arc<SutClients>>,
    busy: BusyTarget,
    /// Whether the load generator was tested.
    generator: OnceLock<()>,
    began: Instant,
    inputs: CheckInputs,
}

/// The configuration of a session.
pub struct SessionConfig<'a> {
    /// The target.
    pub target: &'a Target,
    /// The contract of the system.
    pub contract: Contract,
    /// What the run is to do.
    pub plan: Plan,
    /// The directory of all runs.
    pub output: &'a Path,
    /// Values by name for checks that run with other values than usual.
    pub parameters: BTreeMap<&'static str, Value>,
    /// Masks the secrets that were resolved so far.
    pub redactor: Arc<Redactor>,
    /// The system that stacks run.
    pub reference: &'static dyn ReferenceSystem,
    /// The system under test.
    pub sut: SutSpec,
}

impl Session {
    /// Opens the run directory. It starts no stack and opens no connection.
    ///
    /// # Errors
    /// Where the run directory cannot be written or no threads can be started.
    pub fn open(config: SessionConfig<'_>) -> Result<Self, SessionError> {
        let redactor = config.redactor;
        let directory = RunDirectory::open(config.output, &config.plan, Arc::clone(&redactor))?;
        leak_scan::plant_canary(directory.path(), &redactor)?;
        directory.note(RunEvent::Machine(this_machine()))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let interrupt = Interrupt::new();
        let (sut, lanes) = match config.sut {
            SutSpec::OwnStacks { spec, lanes } => {
                (Sut::OwnStacks, Some(StackPool::new(spec, lanes)))
            }
            SutSpec::SharedStack { stack, spec, lanes } => {
                let shared = Sut::SharedStack(Box::new(stack));
                (shared, Some(StackPool::new(spec, lanes)))
            }
            SutSpec::Attached(spec) => {
                let run = directory.path();
                let target = config.target;
                let open = || {
                    let rate = target.requests_per_second();
                    let (safety, control) = (&target.safety, &target.control);
                    Safeguards::open(safety, rate, control, run, &redactor, interrupt.clone())
                };
                (Sut::Attached(Box::new(spec.with_safeguards(open)?)), None)
            }
        };
        let busy = BusyTarget::idle(sut.attached().is_some());
        Ok(Self {
            interrupt,
            sut,
            lanes,
            plan: config.plan,
            runtime,
            directory,
            contract: Arc::new(config.contract),
            redactor,
            reference: config.reference,
            shared: OnceCell::new(),
            busy,
            generator: OnceLock::new(),
            began: Instant::now(),
            inputs: CheckInputs {
                corpus: config.target.documents.files().to_vec(),
                parameters: config.parameters,
            },
        })
    }

    /// The run directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Makes Ctrl-C and SIGTERM stop the run gracefully.
    pub fn listen_for_signals(&self) -> std::io::Result<()> {
        self.interrupt.listen(self.runtime.handle())
    }

    /// Removes the leftovers of killed runs, starts the shared stack and records its identity. Returns the time
    /// since the session was opened.
    pub fn start(&self) -> anyhow::Result<Duration> {
        self.runtime.block_on(async {
            let starting = async {
                match self.sut.attached() {
                    None => drop(sweep(&std::env::temp_dir(), SweepScope::Abandoned).await?),
                    Some(attached) => {
                        if let Some(standins) = &attached.standins {
                            standins.start().await?;
                        }
                    }
                }
                self.shared_clients().await?;
                Ok(self.identify().await?)
            };
            tokio::select! {
                started = starting => started.map(|()| self.began.elapsed()),
                by = self.interrupt.asked() => anyhow::bail!("interrupted by {by}"),
            }
        })
    }

    /// Stops the run after this time, unless the task is aborted first.
    pub fn end_after(&self, budget: Duration) -> JoinHandle<()> {
        let interrupt = self.interrupt.clone();
        self.runtime.spawn(async move {
            tokio::time::sleep(budget).await;
            interrupt.ask("the time budget of its profile ([profile] time_budget of the policy)");
        })
    }

    /// Whether this run starts and stops the stand-ins of the target.
    pub fn manages_standins(&self) -> bool {
        let attached = self.sut.attached();
        attached.is_some_and(|attached| attached.standins.is_some())
    }

    /// Runs a check once, on the shared stack or on one of its own.
    pub fn run(&self, case: &Case) -> TrialResult {
        if case.check.is_measurement && case.check.effect == Effect::Load {
            self.generator.get_or_init(|| self.test_generator());
        }
        let env = TrialEnv {
            runtime: self.runtime.handle(),
            directory: &self.directory,
            interrupt: &self.interrupt,
            seed: self.plan.seed,
            busy: &self.busy,
        };
        // An attached system has no lanes. The schedule runs exclusive checks alone there.
        let (Some(workers), Some(lanes)) = (case.check.workers, &self.lanes) else {
            return execute(case, &env, async || self.shared_clients().await);
        };
        let lease = RefCell::new(None);
        let trial = execute(case, &env, async || {
            let own = if case.check.fresh_stack {
                lanes.fresh().await?
            } else {
                lanes.exclusive().await?
            };
            let stack = own.stack();
            lease.replace(Some(own));
            stack.scale_workers(workers).await?;
            self.clients(stack.info(), Some(Arc::clone(&stack))).await
        });
        if let Some(own) = lease.into_inner() {
            self.runtime.block_on(own.release());
        }
        trial
    }

    /// Records whether the load generator measures servers whose behaviour is known as they are. A journal that
    /// cannot be written is noticed when the session is closed.
    fn test_generator(&self) {
        let results = generator_test::run();
        let _ = self.directory.note(RunEvent::GeneratorTested { results });
    }

    /// Records how what was measured compares with a baseline.
    pub fn compared(&self, comparison: RunEvent) -> Result<(), JournalError> {
        self.directory.note(comparison)
    }

    /// How long a document may take before it is worth a second look: a third of its deadline.
    pub fn patience(&self) -> Duration {
        self.contract.timing.complete_within / 3
    }

    /// Records that a check is not tried, with the reason.
    pub fn refuse(&self, case: &Case, reason: &str) -> Result<(), JournalError> {
        refuse(case, &self.directory, reason)
    }

    /// Records an incident that belongs to no single check.
    pub fn incident(&self, what: String) -> Result<(), JournalError> {
        self.directory.note(RunEvent::Incident { what })
    }

    /// Records the system's identity again, stops every stack and ends the run's journal.
    pub fn close(self) -> Result<(), JournalError> {
        let cleaned_up = self.runtime.block_on(self.clean_up());
        let identified = self.runtime.block_on(self.identify());
        let stopped = self.runtime.block_on(self.stop());
        cleaned_up?;
        identified?;
        self.record_traffic()?;
        if let Err(error) = stopped {
            self.incident(format!("the stack was not stopped: {error:#}"))?;
        }
        // Where several processes write one run, none of them knows all secrets.
        if !self.sut.is_shared() {
            self.quarantine_leaks()?;
        }
        if let Some(by) = self.interrupt.by() {
            let by = by.to_owned();
            self.directory.note(RunEvent::Interrupted { by })?;
        }
        let duration_ms = self.began.elapsed().as_secs_f64() * 1e3;
        self.directory.note(RunEvent::Finished { duration_ms })
    }

    /// Records the traffic of each link.
    fn record_traffic(&self) -> Result<(), JournalError> {
        let attached = self.sut.attached();
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

    /// Stops everything that the session started.
    async fn stop(&self) -> anyhow::Result<()> {
        let lanes = match &self.lanes {
            Some(lanes) => lanes.stop_all().await,
            None => Ok(()),
        };
        let attached = self.sut.attached();
        if let Some(standins) = attached.and_then(|attached| attached.standins.as_ref()) {
            standins.stop().await?;
        }
        Ok(lanes?)
    }

    /// Quarantines files that contain secrets, and records their names.
    fn quarantine_leaks(&self) -> Result<(), JournalError> {
        match leak_scan::quarantine(self.path(), &self.redactor) {
            Ok(files) => files
                .into_iter()
                .try_for_each(|file| self.directory.note(RunEvent::Leaked { file })),
            Err(error) => self.incident(format!(
                "the evidence was not searched for secrets: {error}"
            )),
        }
    }

    /// Records the identity that the system reports; null where it reports none.
    async fn identify(&self) -> Result<(), JournalError> {
        let Some(clients) = self.shared.get() else {
            return Ok(());
        };
        let identity = clients.identity().await.unwrap_or_default();
        self.directory.note(RunEvent::Identified { identity })
    }

    async fn shared_clients(&self) -> anyhow::Result<Arc<SutClients>> {
        let clients = self
            .shared
            .get_or_try_init(async || match (&self.sut, &self.lanes) {
                (Sut::Attached(attached), _) => self.attach(attached).await,
                (Sut::SharedStack(stack), _) => self.clients(stack, None).await,
                (Sut::OwnStacks, Some(lanes)) => {
                    self.clients(lanes.shared().await?.info(), None).await
                }
                (Sut::OwnStacks, None) => anyhow::bail!("the session has no stacks"),
            });
        let clients = clients.await?;
        clients.accounts().renew().await?;
        Ok(Arc::clone(clients))
    }

    /// The clients of an attached system, after its tenants were verified.
    async fn attach(&self, attached: &Attached) -> anyhow::Result<Arc<SutClients>> {
        let config = SutConfig {
            connection: attached.connection.clone(),
            stack: None,
            safeguards: Some(&attached.safeguards),
            links: attached.links.clone(),
            contract: &self.contract,
            redactor: &self.redactor,
        };
        let clients = SutClients::open(config).await?.with_inputs(&self.inputs);
        clients.verify_tenants().await?;
        Ok(Arc::new(clients))
    }

    /// Cleans up an attached target after the trials, and records what could not be cleaned up.
    async fn clean_up(&self) -> Result<(), JournalError> {
        let (Some(attached), Some(clients)) = (self.sut.attached(), self.shared.get()) else {
            return Ok(());
        };
        if let Err(error) = clients.restore(&Recorder::silent()).await {
            let what = format!(
                "the target was not restored: {error:#}; `cutover sweep --target` tries again"
            );
            self.incident(what)?;
        }
        if let Err(error) = clients.accounts().renew().await {
            self.incident(format!("the cleanup has no tokens: {error:#}"))?;
        }
        let cleanup = &attached.safeguards.cleanup;
        for document in cleanup.documents() {
            if clients.delete_document(document).await {
                cleanup.removed(document.document_id);
            }
        }
        if let Some(failure) = cleanup.take_failure() {
            return Err(failure);
        }
        let left = cleanup.documents().len();
        let may_stay =
            attached.safeguards.disposable && !self.contract.has(Endpoint::DeleteDocument);
        if left > 0 && !may_stay {
            let what = format!(
                "{left} documents were left on the target, or nothing proves that they are gone; `cutover sweep \
                 --target` tries again"
            );
            self.incident(what)?;
        }
        Ok(())
    }

    async fn clients(
        &self,
        info: &StackInfo,
        stack: Option<Arc<Stack>>,
    ) -> anyhow::Result<Arc<SutClients>> {
        learn_credentials(info, &self.redactor);
        let config = SutConfig {
            connection: self.reference.connection(info)?,
            stack,
            safeguards: None,
            links: None,
            contract: &self.contract,
            redactor: &self.redactor,
        };
        let clients = SutClients::open(config).await?;
        let clients = clients.with_inputs(&self.inputs).with_info(info);
        Ok(Arc::new(clients))
    }
}
