//! The record of a run, the policy, the verdict and its renderers.
//!
//! Pure data and functions: no runtime, no network, no environment. The only
//! I/O is reading a run directory ([`Run::load`]) and writing the reports into
//! it ([`render::write_all`]). The same files therefore give the same verdict
//! at any time and on any machine.
//!
//! # Glossary
//!
//! | word | meaning |
//! |---|---|
//! | system under test (SUT) | The SUT is the document pipeline that a run validates. |
//! | target | A target states where the SUT is and what a run may do to it. |
//! | stack | A stack is a running SUT with its dependencies, either started by cutover or attached. |
//! | service | A service is one long-running part of a stack, such as the API, a worker or the database. |
//! | backend | A backend runs the services of a stack, as processes or as containers. |
//! | one-shot | A one-shot is a command of the SUT that runs to completion, such as a migration. |
//! | connection | A connection holds the addresses and credentials that a run uses to reach the SUT. |
//! | lane | A lane is one of several identical, isolated stacks of a run. |
//! | capability, grant | A capability is an access or control right; a check requires it and a target grants it. |
//! | effect | An effect is what a check does to the SUT: read, write_tenant, load, fault or destructive. |
//! | probe | A probe queries one interface of the SUT and records the result without judging it. |
//! | check | A check is one true statement about the SUT, with the code that tries to refute it. |
//! | suite | A suite is a table of checks. |
//! | trial | A trial is one attempt at one check. |
//! | invariant | An invariant is a statement that holds for all rows and objects. |
//! | outcome | An outcome is how a trial ends: passed, failed, errored or skipped. |
//! | evidence | Evidence is an observation, recorded when it is made. |
//! | finding | A finding describes what is wrong with the SUT. |
//! | severity | The severity of a check states how bad its failure is. |
//! | criticality | The criticality of a check states whether a GO requires its result: required or advisory. |
//! | seeded defect | A seeded defect is a known defect that the reference SUT has on request, to measure what the checks detect. |
//! | policy, gate, waiver | A policy holds the rules for a GO, a gate applies them, and a waiver is an exception that is accepted until a day. |
//! | journal | A journal is the append-only record of a trial or a run. |
//! | run | A run executes a plan and keeps its record in one directory. |
//! | verdict | A verdict is GO, CONDITIONAL, INCONCLUSIVE or NO-GO, with its reasons. |
//! | profile | A profile sets the scope of a run: quick, gate, smoke or soak. |

pub mod exit;
pub mod policy;
pub mod record;
pub mod render;
pub mod verdict;

pub use policy::Policy;
pub use record::{
    Admission, BodyExcerpt, CheckId, Criticality, Effect, Event, Evidence, Finding, HttpExchange,
    JournalEntry, Outcome, Plan, PlannedCheck, Profile, Run, RunEvent, RunJournalEntry, Selection,
    Severity, SkipClass, Source, TargetSummary, Trial,
};
pub use verdict::{Decision, Verdict, judge};
