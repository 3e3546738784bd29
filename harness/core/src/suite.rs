//! A suite: a named table of checks.

use std::collections::BTreeSet;
use std::sync::Arc;

use cutover_contract::contract::Endpoint;
use cutover_reports::record::{CheckId, Effect, InvalidCheckId};

use crate::capability::Capability;
use crate::check::{Applicability, Check, CheckFn};
use crate::condition::Condition;
use crate::rule::Rule;
use cutover_contract::contract::Read;
use cutover_fault::LinkName;

/// A table of checks.
pub struct Suite {
    name: &'static str,
    about: &'static str,
    cases: Vec<Case>,
    rules: &'static [&'static [Rule]],
}

/// A check as it is planned and run: a line of the suite's table, or one row of its cases.
pub struct Case {
    /// Its id: `suite::check` or `suite::check::row`.
    pub id: CheckId,
    /// The line of the table.
    pub check: Arc<Check>,
    /// The endpoints that it needs.
    pub calls: BTreeSet<Endpoint>,
    /// The tables and columns that only this row reads.
    pub row_reads: &'static [Read],
    /// What the contract must say for this row to run.
    pub row_conditions: Vec<Condition>,
    /// The link into which its row injects faults.
    pub row_link: Option<LinkName>,
    /// Whether its row stands for many others.
    pub is_sample: bool,
    /// Why its row does not apply to a target with this contract; nothing if it applies.
    pub not_applicable: Arc<Applicability>,
    /// The code.
    pub body: Arc<dyn CheckFn>,
    /// How far a document must come for it to be tried.
    pub relies_on: Reliance,
}

/// How far a document must come for a check to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reliance {
    /// It needs no document.
    Nothing,
    /// It needs documents whose registration is accepted.
    Registered,
    /// It needs documents that become complete.
    Completed,
}

impl Suite {
    /// A suite of these checks, in order.
    ///
    /// # Panics
    /// When a name contains anything but letters, digits and underscores, or is used
    /// twice: the table is source code, so any test that lists it finds the error.
    pub fn new(
        name: &'static str,
        about: &'static str,
        checks: impl IntoIterator<Item = Check>,
    ) -> Self {
        let cases: Vec<Case> = checks
            .into_iter()
            .flat_map(|check| Case::all(name, check))
            .collect();
        for (index, case) in cases.iter().enumerate() {
            let is_duplicate = cases[..index].iter().any(|earlier| earlier.id == case.id);
            assert!(!is_duplicate, "check '{}' is in the table twice", case.id);
        }
        Self {
            name,
            about,
            cases,
            rules: &[],
        }
    }

    /// States the rules that the suite proves, by topic.
    #[must_use]
    pub fn proving(self, rules: &'static [&'static [Rule]]) -> Self {
        Self { rules, ..self }
    }

    /// The rules that the suite proves, in order; none for a suite without a catalogue of rules.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> + use<> {
        self.rules.iter().copied().flatten()
    }

    /// States that these checks, or rows of checks, need no completed document. They are tried even if
    /// no document becomes complete.
    ///
    /// # Panics
    /// When a name is not in the table: the list is source code, so any test that lists the suite
    /// finds the error.
    #[must_use]
    pub fn without_documents(self, names: &[&str]) -> Self {
        self.relying_on(Reliance::Nothing, names)
    }

    /// States that these checks, or rows of checks, need documents that are registered, but none that is complete. They
    /// are tried unless no registration is accepted: what is said about an upload then says nothing about them.
    ///
    /// # Panics
    /// Like [`Suite::without_documents`].
    #[must_use]
    pub fn with_registrations(self, names: &[&str]) -> Self {
        self.relying_on(Reliance::Registered, names)
    }

    fn relying_on(mut self, reliance: Reliance, names: &[&str]) -> Self {
        for name in names {
            let mut is_known = false;
            for case in &mut self.cases {
                let rest = case.id.name().strip_prefix(name);
                if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::")) {
                    is_known = true;
                    case.relies_on = reliance;
                }
            }
            assert!(is_known, "suite '{}' has no check '{name}'", self.name);
        }
        self
    }

    /// The suite's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it checks, in one line.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// The ids of its cases, in order.
    pub fn check_ids(&self) -> impl Iterator<Item = &CheckId> {
        self.cases.iter().map(|case| &case.id)
    }

    /// Its cases, in order.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }
}

/// The endpoints of the check and of its row; a check that changes something registers documents.
fn calls_of(check: &Check, row: &[Endpoint]) -> BTreeSet<Endpoint> {
    let uploads = check.effect > Effect::Read && check.needs.contains(&Capability::Http);
    let upload = uploads.then_some(Endpoint::Upload);
    let declared = check.calls.iter().chain(row).copied();
    declared.chain(upload).collect()
}

impl Case {
    fn all(suite: &str, mut check: Check) -> Vec<Self> {
        let rows = std::mem::take(&mut check.rows);
        let check = Arc::new(check);
        let case = |row: crate::check::CaseRow| {
            let name = match row.name {
                Some(row) => format!("{suite}::{}::{row}", check.name),
                None => format!("{suite}::{}", check.name),
            };
            let id = name
                .parse()
                .unwrap_or_else(|error: InvalidCheckId| panic!("{error}"));
            Self {
                id,
                calls: calls_of(&check, &row.calls),
                check: Arc::clone(&check),
                row_reads: row.reads,
                row_conditions: row.conditions,
                row_link: row.link,
                is_sample: row.is_sample,
                not_applicable: row.not_applicable,
                body: row.body,
                relies_on: Reliance::Completed,
            }
        };
        rows.into_iter().map(case).collect()
    }

    /// The statement that it proves, as a sentence.
    pub fn statement(&self) -> String {
        self.id.name().replace("::", ": ").replace('_', " ")
    }

    /// The tables and columns that a target must have for it.
    pub fn required_reads(&self) -> impl Iterator<Item = Read> {
        let reads = self.check.reads.iter().flatten().chain(self.row_reads);
        reads.copied().filter(|read| !read.optional)
    }

    /// What the contract must say for it to run.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.check.conditions.iter().chain(&self.row_conditions)
    }

    /// Whether it requires a stack of its own.
    pub fn is_alone(&self) -> bool {
        self.check.workers.is_some()
    }
}
