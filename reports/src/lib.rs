//! What cutover concludes: the record of a run, the policy, the verdict, and its renderings.
//!
//! Pure data and judgement: no runtime, no network, no environment. The only
//! I/O is reading a run directory ([`Run::load`]) and writing the reports into
//! it ([`render::write_all`]), so a verdict can be computed again tomorrow, on
//! another machine, from the files alone.
//!
//! # Glossary
//!
//! | word | meaning |
//! |---|---|
//! | system under test (SUT) | the document pipeline that a run examines |
//! | target | where the SUT is and what we may do to it |
//! | stack | the live SUT with its dependencies, provisioned by us or attached |
//! | lane | one of several identical, isolated stacks of a run |
//! | capability, grant | what a check needs, what a target gives |
//! | effect | what a check does to the SUT: read, write_tenant, load, fault, destructive |
//! | probe | asks one surface of the SUT and records the answer; never judges |
//! | check | one true statement about the SUT and the code that tries to refute it |
//! | suite | a table of checks |
//! | trial | one attempt at one check |
//! | invariant | a statement that holds over all rows and objects |
//! | outcome | how a trial ended: passed, failed, errored, skipped |
//! | evidence | one observation, recorded as it happened |
//! | finding | what a failed check says is wrong with the SUT |
//! | severity | how bad a finding is |
//! | criticality | how much the decision needs the answer: required or advisory |
//! | policy, gate, waiver | the rules of a go; one decision by them; an accepted exception |
//! | journal | the append-only record of a trial |
//! | run | one execution of a plan, and the directory that holds its record |
//! | verdict | GO, CONDITIONAL, INCONCLUSIVE or NO-GO, with its reasons |
//! | profile | how much of everything a run does: quick, gate, smoke, soak |

pub mod exit;
pub mod policy;
pub mod record;
pub mod render;
pub mod verdict;

pub use policy::Policy;
pub use record::{
    Admission, Body, CheckId, Criticality, Effect, Event, Evidence, Finding, HttpExchange, Line,
    Outcome, Plan, PlannedCheck, Profile, Run, RunEvent, RunLine, Selection, Severity, SkipClass,
    Source, TargetSummary, Trial,
};
pub use verdict::{Decision, Verdict, judge};
