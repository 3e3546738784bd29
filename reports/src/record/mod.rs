//! The record of a run: what is written to disk while a run happens, and read back to judge it.

mod check_id;
mod event;
mod evidence;
mod finding;
mod load;
mod outcome;
mod plan;
mod rank;
mod run;
mod trial;

pub use check_id::{CheckId, InvalidCheckId};
pub use event::{Event, JOURNAL_VERSION, Line, RunEvent, RunLine};
pub use evidence::{Body, Evidence, HttpExchange, Observation, SqlQuery, Wait};
pub use finding::Finding;
pub use load::{LoadError, PLAN_FILE, RUN_FILE, TRIALS_DIR};
pub use outcome::{Outcome, SkipClass};
pub use plan::{
    Admission, PLAN_VERSION, Plan, PlannedCheck, Profile, Selection, Source, TargetSummary,
};
pub use rank::{Criticality, Effect, Severity};
pub use run::{Run, Unreadable};
pub use trial::Trial;
