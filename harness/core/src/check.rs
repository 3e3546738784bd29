//! A check: a statement about the system under test, and the code that tries to refute it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cutover_reports::record::{Criticality, Effect, Severity, Source};

use crate::capability::Capability;
use crate::condition::Condition;
use crate::context::{CheckNeeds, Context};
use cutover_contract::contract::{Contract, Endpoint, Read};
use cutover_contract::invariant::Invariant;
use cutover_evidence::stop::CheckResult;
use cutover_fault::LinkName;

/// A line of a suite's table: the statement, what it requires and how much it matters.
///
/// Made by [`check!`](crate::check!). Defaults assume the worst: a check without
/// an effect is destructive.
pub struct Check {
    /// The name, which is the statement that it proves.
    pub name: &'static str,
    /// The position of its line in the source.
    pub source: Source,
    /// The capabilities it requires.
    pub needs: Vec<Capability>,
    /// The tables and columns that it reads; nothing where its line does not say.
    pub reads: Option<Vec<Read>>,
    /// What the contract must say for it to run.
    pub conditions: Vec<Condition>,
    /// What it does to the system under test.
    pub effect: Effect,
    /// The severity of a failure.
    pub severity: Severity,
    /// Whether a GO requires its result.
    pub criticality: Criticality,
    /// The time after which it ends without a result.
    pub timeout: Duration,
    /// About how long it waits for the system under test.
    pub expected_duration: Duration,
    /// The number of workers on a stack of its own, where it runs alone.
    pub workers: Option<usize>,
    /// Whether that stack must be new.
    pub fresh_stack: bool,
    /// When it runs on the shared stack.
    pub phase: Phase,
    /// Whether it measures times, so that nothing else may run beside it.
    pub is_measurement: bool,
    /// What it takes from other users of the system while it runs.
    pub occupies: Vec<Resource>,
    /// The endpoints that its statement is about.
    pub calls: Vec<Endpoint>,
    /// Whether it needs the user's own PDF files.
    pub reads_corpus: bool,
    /// The rows of its table of cases, or its only case.
    pub rows: Vec<CaseRow>,
}

/// When a check runs on the shared stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before all others. After it has failed twice, the checks that need a completed document are not tried.
    Foundation,
    /// Beside others.
    Usual,
    /// After all others.
    Last,
}

/// A limited resource of the system under test that a check can keep from other checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A worker, or one of its slots for documents.
    Worker,
    /// The connections of the API to its database or its providers.
    Connections,
}

/// Why a case does not apply to a target with this contract; nothing if it applies.
pub type Applicability = dyn Fn(&Contract) -> Option<String> + Send + Sync;

/// A row of a check's table of cases, or its only case.
pub struct CaseRow {
    /// The name of the row; nothing where the check has no table of cases.
    pub name: Option<&'static str>,
    /// The endpoints that this row is about, beside those of the check.
    pub calls: Vec<Endpoint>,
    /// The tables and columns that only this row reads.
    pub reads: &'static [Read],
    /// What the contract must say for this row to run.
    pub conditions: Vec<Condition>,
    /// The link into which this row injects faults.
    pub link: Option<LinkName>,
    /// Whether short profiles include this row, because it stands for many others.
    pub is_sample: bool,
    /// Why the row does not apply to a target with this contract; nothing if it applies.
    pub not_applicable: Arc<Applicability>,
    /// The code.
    pub body: Arc<dyn CheckFn>,
}

impl Check {
    /// The part that its context needs.
    pub(crate) fn declared(&self) -> CheckNeeds {
        CheckNeeds {
            name: self.name,
            needs: self.needs.clone(),
            may_hold: self.workers.is_some() || !self.occupies.is_empty(),
            reads: self.reads.clone(),
        }
    }

    /// A check that is one function.
    #[doc(hidden)]
    pub fn single(
        name: &'static str,
        file: &str,
        line: u32,
        body: impl AsyncFn(&Context) -> CheckResult + Send + Sync + 'static,
    ) -> Self {
        Self::with_rows(
            name,
            file,
            line,
            vec![CaseRow {
                name: None,
                calls: Vec::new(),
                reads: &[],
                conditions: Vec::new(),
                link: None,
                is_sample: false,
                not_applicable: Arc::new(|_| None),
                body: Arc::new(body),
            }],
        )
    }

    /// A check that is one function over a table of cases.
    #[doc(hidden)]
    pub fn table<T: Named + Sync + 'static>(
        name: &'static str,
        file: &str,
        line: u32,
        cases: &'static [T],
        body: impl AsyncFn(&Context, &T) -> CheckResult + Copy + Send + Sync + 'static,
    ) -> Self {
        let row = |case: &'static T| CaseRow {
            name: Some(case.name()),
            calls: case.calls(),
            reads: case.reads(),
            conditions: case.conditions(),
            link: case.link(),
            is_sample: case.is_sample(),
            not_applicable: Arc::new(|contract| case.not_applicable(contract)),
            body: Arc::new(async move |cx: &Context| body(cx, case).await),
        };
        Self::with_rows(name, file, line, cases.iter().map(row).collect())
    }

    fn with_rows(name: &'static str, file: &str, line: u32, rows: Vec<CaseRow>) -> Self {
        Self {
            name,
            source: Source {
                file: file.to_owned(),
                line,
            },
            needs: vec![Capability::Http],
            reads: None,
            conditions: Vec::new(),
            effect: Effect::Destructive,
            severity: Severity::High,
            criticality: Criticality::Required,
            timeout: Duration::from_mins(2),
            expected_duration: Duration::ZERO,
            workers: None,
            fresh_stack: false,
            phase: Phase::Usual,
            is_measurement: false,
            occupies: Vec::new(),
            calls: Vec::new(),
            reads_corpus: false,
            rows,
        }
    }

    /// The capabilities it requires. Default: HTTP only.
    #[must_use]
    pub fn requires(mut self, needs: impl IntoIterator<Item = Capability>) -> Self {
        self.needs = needs.into_iter().collect();
        self
    }

    /// The endpoints that its statement is about; it is refused where the contract declares one of
    /// them absent. A check that changes something also uses the upload. A call that the statement
    /// is not about does not belong here: the check asks `Contract::has` and does without it.
    #[must_use]
    pub fn calls(mut self, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        self.calls.extend(endpoints);
        self
    }

    /// The tables and columns that it reads. A target that lacks one of them cannot run the check,
    /// unless it is marked with [`Read::if_given`]; all others are hidden from the check.
    #[must_use]
    pub fn reads(mut self, reads: impl IntoIterator<Item = Read>) -> Self {
        self.reads = Some(reads.into_iter().collect());
        self
    }

    /// What the contract must say for the check to run.
    #[must_use]
    pub fn only_where(mut self, conditions: impl IntoIterator<Item = Condition>) -> Self {
        self.conditions = conditions.into_iter().collect();
        self
    }

    /// The check needs the user's own PDF files (`[documents] corpus` in the target file).
    #[must_use]
    pub fn reads_corpus(mut self) -> Self {
        self.reads_corpus = true;
        self
    }

    /// What it does to the system under test. Default: destructive.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// The severity of a failure. Default: high.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Makes a missing result a listed risk; a GO remains possible.
    #[must_use]
    pub fn advisory(mut self) -> Self {
        self.criticality = Criticality::Advisory;
        self
    }

    /// The time after which the check ends without a result. Default: two minutes, longer than
    /// any deadline of the contract, so that a system that hangs fails before the timeout.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// About how long it waits for the system under test. Long checks start first.
    /// Default: zero.
    #[must_use]
    pub fn expected_duration(mut self, expected_duration: Duration) -> Self {
        self.expected_duration = expected_duration;
        self
    }

    /// Runs the check on a stack of its own, with this many workers.
    #[must_use]
    pub fn alone_with_workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Gives an exclusive check a stack that no other check has used, so its queue is empty.
    #[must_use]
    pub fn fresh_stack(mut self) -> Self {
        self.fresh_stack = true;
        self
    }

    /// Runs the check before all others. After it has failed twice for the same cause, the checks
    /// that need a completed document are not tried.
    #[must_use]
    pub fn foundation(mut self) -> Self {
        self.phase = Phase::Foundation;
        self
    }

    /// The check can keep this resource from other checks, for example because a provider does not
    /// answer. On an attached target it then runs alone, after the checks that share the target.
    #[must_use]
    pub fn occupies(mut self, resource: Resource) -> Self {
        self.occupies.push(resource);
        self
    }

    /// The check measures times. It runs after all others, and nothing runs beside it. A front end that
    /// orders checks itself may run others beside it, so it must notice what it cannot measure.
    #[must_use]
    pub fn measures(mut self) -> Self {
        self.is_measurement = true;
        self
    }

    /// Runs the check on the shared stack after all others have ended there, so
    /// that it sees their leftovers. A front end that orders checks itself may
    /// run it earlier, so its statement must hold at any time.
    #[must_use]
    pub fn last(mut self) -> Self {
        self.phase = Phase::Last;
        self
    }
}

/// A duration in seconds, for the lines of a table.
pub const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A case of a table with a name of letters, digits and underscores.
pub trait Named {
    /// The name.
    fn name(&self) -> &'static str;

    /// The endpoints that this case is about, beside those of its check.
    fn calls(&self) -> Vec<Endpoint> {
        Vec::new()
    }

    /// The tables and columns that only this case reads.
    fn reads(&self) -> &'static [Read] {
        &[]
    }

    /// What the contract must say for this case to run.
    fn conditions(&self) -> Vec<Condition> {
        Vec::new()
    }

    /// The link into which this case injects faults.
    fn link(&self) -> Option<LinkName> {
        None
    }

    /// Whether short profiles include this case, because it stands for many others of its check.
    fn is_sample(&self) -> bool {
        false
    }

    /// Why the case does not apply to a target with this contract; nothing if it applies.
    fn not_applicable(&self, _: &Contract) -> Option<String> {
        None
    }
}

/// The invariants are a table of cases.
impl Named for Invariant {
    fn name(&self) -> &'static str {
        self.name
    }

    fn reads(&self) -> &'static [Read] {
        self.reads
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        self.not_applicable(contract).map(str::to_owned)
    }
}

/// The body of a check. Implemented for every plain `async fn(&Context) -> CheckResult`,
/// which need neither be boxed nor `Send`.
pub trait CheckFn: Send + Sync {
    /// Runs it.
    fn run<'a>(&'a self, cx: &'a Context) -> Pin<Box<dyn Future<Output = CheckResult> + 'a>>;
}

impl<F: AsyncFn(&Context) -> CheckResult + Send + Sync> CheckFn for F {
    fn run<'a>(&'a self, cx: &'a Context) -> Pin<Box<dyn Future<Output = CheckResult> + 'a>> {
        Box::pin(self(cx))
    }
}

/// Makes a line of a suite's table: `check!(function)`, or `check!(function, CASES)` for
/// one trial per case.
#[macro_export]
macro_rules! check {
    ($body:ident) => {
        $crate::check::Check::single(stringify!($body), file!(), line!(), $body)
    };
    ($body:ident, $cases:expr) => {
        $crate::check::Check::table(stringify!($body), file!(), line!(), $cases, $body)
    };
}
