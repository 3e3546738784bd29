//! One attempt at one check, assembled from its journal.

use time::OffsetDateTime;

use super::{CheckId, Event, Evidence, Finding, JournalEntry, Observation, Outcome};

/// One attempt at one check.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The check.
    pub check: CheckId,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The start time.
    pub started_at: OffsetDateTime,
    /// The observations, in order.
    pub evidence: Vec<Evidence>,
    /// The findings, in order.
    pub findings: Vec<Finding>,
    /// The outcome and the duration in milliseconds; `None` if the trial did not finish.
    pub finished: Option<(Outcome, f64)>,
    /// The number of observations that the check made before its cleanup; `None` in journals of
    /// earlier versions.
    pub observations: Option<usize>,
}

impl Trial {
    /// What was observed on a surface, in order.
    pub fn observations(&self, surface: &str) -> impl Iterator<Item = &Observation> {
        let observations = self.evidence.iter().filter_map(|evidence| match evidence {
            Evidence::Observed(seen) => Some(seen),
            Evidence::Http(_) | Evidence::Sql(_) | Evidence::Wait(_) => None,
        });
        observations.filter(move |seen| seen.surface == surface)
    }

    /// Assembles a trial from the entries of its journal.
    ///
    /// `None` unless the first entry is the only `started` and there is at most
    /// one `finished`: a second outcome could overrule the first.
    pub fn from_entries(entries: impl IntoIterator<Item = JournalEntry>) -> Option<Self> {
        let mut entries = entries.into_iter();
        let first = entries.next()?;
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
            observations: None,
        };
        for entry in entries {
            match entry.event {
                Event::Started { .. } => return None,
                Event::Evidence(evidence) => trial.evidence.push(*evidence),
                Event::Finding(finding) => trial.findings.push(finding),
                Event::Finished { .. } if trial.finished.is_some() => return None,
                Event::Finished {
                    outcome,
                    duration_ms,
                    observations,
                } => {
                    trial.finished = Some((outcome, duration_ms));
                    trial.observations = observations;
                }
            }
        }
        Some(trial)
    }

    /// The observations of the check until it failed, without those of its cleanup.
    pub fn observed(&self) -> &[Evidence] {
        let failed = self.findings.first().and_then(|it| it.observation);
        let end = failed.map(|index| index.saturating_add(1));
        let end = end.or(self.observations).unwrap_or(self.evidence.len());
        &self.evidence[..end.min(self.evidence.len())]
    }

    /// What the system itself reported about a finding.
    pub fn context(&self, finding: &Finding) -> impl Iterator<Item = &Evidence> {
        let indices = finding.context.iter();
        indices.filter_map(|index| self.evidence.get(*index))
    }

    /// The observation that deviates: the last one before the failure.
    pub fn deviation(&self) -> Option<&Evidence> {
        let stopped = |it: &&Evidence| matches!(it, Evidence::Wait(wait) if wait.was_stopped());
        let mut latest = self.observed().iter().rev();
        latest.find(|evidence| !stopped(evidence))
    }

    /// The outcome; `None` if the trial did not finish.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.finished.as_ref().map(|(outcome, _)| outcome)
    }
}
