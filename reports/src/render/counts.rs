//! Counts as a person reads them.

use crate::verdict::{Counts, Status};

impl Counts {
    /// How many checks ended how, without those of which there are none: `5 passed · 1 failed`.
    pub(super) fn spoken(self) -> String {
        let all = [
            (self.passed, Status::Passed),
            (self.failed, Status::Failed),
            (self.errored, Status::Errored),
            (self.skipped, Status::Skipped),
            (self.not_run, Status::NotRun),
        ];
        let some = all.into_iter().filter(|(count, _)| *count > 0);
        let some = some.map(|(count, status)| format!("{count} {}", status.name()));
        some.collect::<Vec<_>>().join(" · ")
    }

    /// The same with how many there are at all: `6 checks: 5 passed · 1 failed`.
    pub(super) fn spoken_in_full(self) -> String {
        match self.planned {
            0 => "no checks".to_owned(),
            1 => format!("1 check: {}", self.spoken()),
            all => format!("{all} checks: {}", self.spoken()),
        }
    }
}
