//! Counts of checks in words.

use crate::verdict::{CheckStatus, Counts};

impl Counts {
    /// The counts by status, without zeros: `5 passed · 1 failed`.
    pub(super) fn summary(self) -> String {
        let all = [
            (self.passed, CheckStatus::Passed),
            (self.failed, CheckStatus::Failed),
            (self.errored, CheckStatus::Errored),
            (self.skipped, CheckStatus::Skipped),
            (self.not_run, CheckStatus::NotRun),
        ];
        let present = all.into_iter().filter(|(count, _)| *count > 0);
        let present = present.map(|(count, status)| format!("{count} {}", status.name()));
        present.collect::<Vec<_>>().join(" · ")
    }

    /// The total and the counts by status: `6 checks: 5 passed · 1 failed`.
    pub(super) fn headline(self) -> String {
        match self.planned {
            0 => "no checks".to_owned(),
            1 => format!("1 check: {}", self.summary()),
            all => format!("{all} checks: {}", self.summary()),
        }
    }
}
