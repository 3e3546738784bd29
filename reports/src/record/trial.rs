//! One attempt at one check, folded from its journal.

use time::OffsetDateTime;

use super::{CheckId, Event, Evidence, Finding, Line, Outcome};

/// One attempt at one check, as far as its journal tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The check.
    pub check: CheckId,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// When it began.
    pub started_at: OffsetDateTime,
    /// What was observed, in order.
    pub evidence: Vec<Evidence>,
    /// What was found wrong, in order.
    pub findings: Vec<Finding>,
    /// How it ended, and after how many milliseconds; `None` when it never did.
    pub finished: Option<(Outcome, f64)>,
}

impl Trial {
    /// Folds a journal's lines into a trial; `None` when they do not begin with the
    /// only `started`, or end twice: a second end could take back what the first said.
    pub fn from_lines(lines: impl IntoIterator<Item = Line>) -> Option<Self> {
        let mut lines = lines.into_iter();
        let first = lines.next()?;
        let Event::Started { check, attempt } = first.event else {
            return None;
        };
        let mut trial = Self {
            check,
            attempt,
            started_at: first.at,
            evidence: Vec::new(),
            findings: Vec::new(),
            finished: None,
        };
        for line in lines {
            match line.event {
                Event::Started { .. } => return None,
                Event::Evidence(evidence) => trial.evidence.push(*evidence),
                Event::Finding(finding) => trial.findings.push(finding),
                Event::Finished { .. } if trial.finished.is_some() => return None,
                Event::Finished {
                    outcome,
                    duration_ms,
                } => {
                    trial.finished = Some((outcome, duration_ms));
                }
            }
        }
        Some(trial)
    }

    /// How it ended; `None` when it never did.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.finished.as_ref().map(|(outcome, _)| outcome)
    }
}
