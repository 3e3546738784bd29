//! The record of a run: the files that a run writes and that the judge reads.

mod check_id;
mod evidence;
mod finding;
mod journal;
mod levels;
mod load;
mod measured;
mod outcome;
mod plan;
mod readable;
mod run;
mod trial;

pub use check_id::{CheckId, InvalidCheckId};
pub use cutover_regression::{Better, Machine, Measurement};
pub use evidence::{BodyExcerpt, Evidence, HttpExchange, Observation, SqlQuery, Wait};
pub use finding::Finding;
pub use journal::{Event, JOURNAL_VERSION, JournalEntry, RunEvent, RunJournalEntry};
pub use levels::{Criticality, Effect, Severity};
pub use load::{LoadError, PLAN_FILE, RUN_FILE, TRIALS_DIR};
pub use measured::{ComparisonResult, KnownMeasurement};
pub use outcome::{Outcome, SkipClass};
pub use plan::{
    Admission, PLAN_VERSION, Plan, PlannedCheck, PlannedRule, Profile, Selection, Source,
    TargetSummary,
};
pub use run::{Run, UnreadableFile};
pub use trial::Trial;
