//! A session: everything that lives from the first trial of a run to its last.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover_reports::record::{Plan, RunEvent};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::catalog::SeededDefect;
use crate::contract::Contract;
use crate::doors::Doors;
use crate::execute::{Executed, Surroundings, execute};
use crate::fault::Links;
use crate::journal::{JournalError, Recorder};
use crate::lane::{Lane, Opening};
use crate::leaks;
use crate::redact::Redactor;
use crate::run_directory::{RunDirectory, RunDirectoryError};
use crate::runner::Interrupt;
use crate::runner::recipe::stack_spec;
use crate::safety::Safeguards;
use crate::stack::{Lanes, Reach, Stack, StackCard, StandinHost, sweep};
use crate::suite::Case;
use crate::target::Target;

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
pub(crate) struct Session {
    pub(crate) plan: Plan,
    pub(crate) interrupt: Interrupt,
    runtime: Runtime,
    directory: RunDirectory,
    contract: Arc<Contract>,
    redactor: Arc<Redactor>,
    lanes: Lanes,
    leased: Option<StackCard>,
    attached: Option<Attached>,
    /// The stand-ins of a system that somebody else runs, where nobody else serves them.
    standins: Option<StandinHost>,
    shared: OnceCell<Arc<Lane>>,
    began: Instant,
}

/// A system that somebody else runs, and what keeps us from harming it.
struct Attached {
    doors: Doors,
    safeguards: Safeguards,
    links: Option<Arc<Links>>,
}

/// What a session is made of.
pub(crate) struct Ingredients<'a> {
    pub(crate) target: &'a Target,
    pub(crate) contract: Contract,
    pub(crate) plan: Plan,
    /// The defect to start stacks with.
    pub(crate) defect: Option<&'static SeededDefect>,
    /// The directory of all runs.
    pub(crate) output: &'a Path,
    /// The binary that carries the companions.
    pub(crate) program: PathBuf,
    /// A stack that another process owns, to be used as the shared one.
    pub(crate) leased: Option<StackCard>,
    /// The way into a system that somebody else runs.
    pub(crate) attached: Option<Doors>,
    /// What its connections pass through, where they do.
    pub(crate) links: Option<Arc<Links>>,
    /// Stand-ins that serve it for as long as the run lasts.
    pub(crate) standins: Option<StandinHost>,
}

impl Session {
    /// Opens the run directory. Starts no stack and connects to nothing.
    pub(crate) fn open(from: Ingredients<'_>) -> Result<Self, SessionError> {
        let redactor = Arc::new(Redactor::default());
        let directory = RunDirectory::open(from.output, &from.plan, Arc::clone(&redactor))?;
        for secret in from.standins.iter().flat_map(StandinHost::secrets) {
            redactor.learn(&secret);
        }
        leaks::plant_canary(directory.path(), &redactor)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let interrupt = Interrupt::new();
        let attached = from.attached.map(|doors| {
            Ok::<_, JournalError>(Attached {
                doors,
                safeguards: Safeguards::open(
                    from.target,
                    directory.path(),
                    &redactor,
                    interrupt.clone(),
                )?,
                links: from.links,
            })
        });
        let spec = stack_spec(from.program, from.target, &from.contract, from.defect);
        Ok(Self {
            interrupt,
            attached: attached.transpose()?,
            standins: from.standins,
            lanes: Lanes::new(spec, from.target.stack.lanes),
            leased: from.leased,
            plan: from.plan,
            runtime,
            directory,
            contract: Arc::new(from.contract),
            redactor,
            shared: OnceCell::new(),
            began: Instant::now(),
        })
    }

    /// The run directory.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Lets Ctrl-C and SIGTERM ask for an orderly end.
    pub(crate) fn listen_for_signals(&self) -> std::io::Result<()> {
        self.interrupt.listen(self.runtime.handle())
    }

    /// Removes what killed runs left, starts the shared stack and asks it who it is. Gives how long that took
    /// since the session was opened.
    pub(crate) fn start(&self) -> anyhow::Result<Duration> {
        self.runtime.block_on(async {
            let coming_up = async {
                if self.attached.is_none() {
                    sweep(&std::env::temp_dir(), Reach::Abandoned).await?;
                }
                if let Some(standins) = &self.standins {
                    standins.start().await?;
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
    pub(crate) fn end_after(&self, budget: Duration) -> JoinHandle<()> {
        let interrupt = self.interrupt.clone();
        self.runtime.spawn(async move {
            tokio::time::sleep(budget).await;
            interrupt.ask("the time budget of its profile ([profile] time_budget of the policy)");
        })
    }

    /// Whether the stand-ins of the target end with this run.
    pub(crate) fn serves_standins(&self) -> bool {
        self.standins.is_some()
    }

    /// Runs a check once, on the shared stack or on one of its own.
    pub(crate) fn run(&self, case: &Case) -> Executed {
        let around = Surroundings {
            runtime: self.runtime.handle(),
            directory: &self.directory,
            interrupt: &self.interrupt,
            seed: self.plan.seed,
        };
        // What is somebody else's has no lanes: there, a check that must be alone is.
        let workers = case.check.workers.filter(|_| self.attached.is_none());
        let Some(workers) = workers else {
            return execute(case, &around, async || self.shared_lane().await);
        };
        let lease = RefCell::new(None);
        let executed = execute(case, &around, async || {
            let own = if case.check.untouched {
                self.lanes.untouched().await?
            } else {
                self.lanes.exclusive().await?
            };
            let stack = own.stack();
            lease.replace(Some(own));
            stack.scale_workers(workers).await?;
            self.lane(stack.card(), Some(Arc::clone(&stack))).await
        });
        if let Some(own) = lease.into_inner() {
            self.runtime.block_on(own.release());
        }
        executed
    }

    /// Notes something that no single check answers for.
    pub(crate) fn incident(&self, what: String) -> Result<(), JournalError> {
        self.directory.note(RunEvent::Incident { what })
    }

    /// Asks the system again who it is, stops every stack and ends the run's journal.
    pub(crate) fn close(self) -> Result<(), JournalError> {
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
        if self.leased.is_none() {
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
        let links = self.attached.iter().filter_map(|it| it.links.as_ref());
        for (name, traffic) in links.flat_map(|links| links.traffic()) {
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
        let lanes = self.lanes.stop_all().await;
        if let Some(standins) = &self.standins {
            standins.stop().await?;
        }
        Ok(lanes?)
    }

    /// Empties what holds a secret in spite of everything, and notes it.
    fn withhold_leaks(&self) -> Result<(), JournalError> {
        match leaks::withhold(self.path(), &self.redactor) {
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

    async fn shared_lane(&self) -> anyhow::Result<Arc<Lane>> {
        let lane = self
            .shared
            .get_or_try_init(async || match (&self.attached, &self.leased) {
                (Some(attached), _) => self.attach(attached).await,
                (None, Some(card)) => self.lane(card, None).await,
                (None, None) => self.lane(self.lanes.shared().await?.card(), None).await,
            });
        let lane = lane.await?;
        lane.accounts().renew().await?;
        Ok(Arc::clone(lane))
    }

    /// A lane to a system that somebody else runs, after its tenants were let in.
    async fn attach(&self, attached: &Attached) -> anyhow::Result<Arc<Lane>> {
        let opening = Opening {
            doors: attached.doors.clone(),
            stack: None,
            safeguards: Some(&attached.safeguards),
            links: attached.links.clone(),
            contract: &self.contract,
            redactor: &self.redactor,
        };
        let lane = Lane::open(opening).await?;
        lane.two_tenants_are_let_in().await?;
        Ok(Arc::new(lane))
    }

    /// Takes back what trials could not, and says what is still left on a system that is not ours.
    async fn take_back(&self) -> Result<(), JournalError> {
        let (Some(attached), Some(lane)) = (&self.attached, self.shared.get()) else {
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

    async fn lane(&self, card: &StackCard, stack: Option<Arc<Stack>>) -> anyhow::Result<Arc<Lane>> {
        let opening = Opening {
            doors: Doors::from(card),
            stack,
            safeguards: None,
            links: None,
            contract: &self.contract,
            redactor: &self.redactor,
        };
        Ok(Arc::new(Lane::open(opening).await?))
    }
}
