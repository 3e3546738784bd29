//! The outcome of one validation, and whether it is the expected one.

use std::time::Duration;

use cutover_reports::record::CheckId;
use cutover_reports::verdict::{CheckStatus, Decision, Verdict};
use serde::{Serialize, Serializer};

use super::subject::Subject;

/// The outcome of one validation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ValidationOutcome {
    /// The id of the subject.
    pub(crate) id: String,
    /// The title of the defect.
    pub(crate) title: &'static str,
    /// Whether the verdict is the expected one.
    pub(crate) ruling: Ruling,
    /// The decision, if there was a verdict.
    pub(crate) decision: Option<Decision>,
    /// The failed checks that must detect the defect.
    #[serde(rename = "blamed")]
    pub(crate) detected_by: Vec<CheckId>,
    /// The other failed checks.
    #[serde(rename = "besides")]
    pub(crate) other_failures: Vec<CheckId>,
    /// The checks that ran again alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) reruns: Vec<RerunOutcome>,
    /// The first deciding reason.
    pub(crate) reason: Option<String>,
    /// The duration of the validation, including its stacks.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(crate) elapsed: Duration,
}

/// A check that detected a defect, run again alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RerunOutcome {
    /// The check.
    pub(crate) check: CheckId,
    /// Whether it failed again, as it must.
    pub(crate) failed: bool,
}

/// Whether a verdict is the expected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ruling {
    /// NO-GO, and a check that must detect the defect failed.
    Detected,
    /// NO-GO, but only other checks failed.
    Misblamed,
    /// No NO-GO despite the defect.
    Missed,
    /// GO for a stack without a defect.
    Sound,
    /// No GO for a stack without a defect.
    FalseAlarm,
}

impl Ruling {
    /// Whether the verdict is the expected one.
    pub(crate) fn is_right(self) -> bool {
        matches!(self, Self::Detected | Self::Sound)
    }

    /// The ruling as text; unexpected ones are in capitals.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Misblamed => "MISBLAMED",
            Self::Missed => "MISSED",
            Self::Sound => "sound",
            Self::FalseAlarm => "FALSE ALARM",
        }
    }
}

impl ValidationOutcome {
    /// The outcome of a verdict; an empty list of suites means all suites ran.
    pub(crate) fn new(
        subject: Subject,
        verdict: &Verdict,
        suites: &[String],
        elapsed: Duration,
    ) -> Self {
        let failed = verdict
            .checks
            .iter()
            .filter(|check| check.status == CheckStatus::Failed)
            .map(|check| check.id.clone());
        let (detected_by, other_failures): (Vec<_>, Vec<_>) =
            failed.partition(|id| must_detect(id, subject));
        Self {
            ruling: rule(subject, verdict, suites, !detected_by.is_empty()),
            decision: Some(verdict.decision),
            reason: verdict.reason.clone(),
            detected_by,
            other_failures,
            ..Self::without_verdict(subject, elapsed)
        }
    }

    /// The outcome of a validation that left no record.
    pub(crate) fn broken(subject: Subject, reason: String, elapsed: Duration) -> Self {
        Self {
            reason: Some(reason),
            ..Self::without_verdict(subject, elapsed)
        }
    }

    fn without_verdict(subject: Subject, elapsed: Duration) -> Self {
        Self {
            id: subject.id(),
            title: subject.title(),
            ruling: match subject {
                Subject::Defect(_) => Ruling::Missed,
                Subject::Healthy(_) => Ruling::FalseAlarm,
            },
            decision: None,
            detected_by: Vec::new(),
            other_failures: Vec::new(),
            reruns: Vec::new(),
            reason: None,
            elapsed,
        }
    }
}

fn rule(
    subject: Subject,
    verdict: &Verdict,
    suites: &[String],
    is_expected_failure: bool,
) -> Ruling {
    match subject {
        Subject::Defect(_) if verdict.decision != Decision::NoGo => Ruling::Missed,
        Subject::Defect(_) if is_expected_failure => Ruling::Detected,
        Subject::Defect(_) => Ruling::Misblamed,
        Subject::Healthy(_) if is_clean(verdict, suites) => Ruling::Sound,
        Subject::Healthy(_) => Ruling::FalseAlarm,
    }
}

/// Whether every reason against a GO is that an unselected suite did not run.
fn is_clean(verdict: &Verdict, suites: &[String]) -> bool {
    let is_selected =
        |id: &CheckId| suites.is_empty() || suites.iter().any(|suite| suite == id.suite());
    verdict
        .reasons
        .iter()
        .all(|reason| reason.check.as_ref().is_some_and(|id| !is_selected(id)))
}

/// Whether a check, or the check that it is a case of, must detect the defect.
fn must_detect(id: &CheckId, subject: Subject) -> bool {
    let Subject::Defect(defect) = subject else {
        return false;
    };
    let is_named = |check: &str| {
        let rest = id.as_str().strip_prefix(check);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    defect.checks.iter().any(|check| is_named(check))
}

fn seconds<S: Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((elapsed.as_secs_f64() * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use cutover_reports::record::{Criticality, Severity};
    use cutover_reports::verdict::{CheckVerdict, Counts, Reason, VERDICT_VERSION};
    use time::OffsetDateTime;

    use super::*;
    use cutover_harness::catalog::{DefectClass, DefectLocation, SeededDefect};

    static DEFECT: SeededDefect = SeededDefect {
        id: "X-00",
        slug: "lossy-queue",
        title: "The queue loses jobs.",
        class: DefectClass::DataIntegrity,
        severity: Severity::High,
        locations: &[DefectLocation::Pipeline],
        checks: &["pipeline::the_queue_drains"],
        measurement: None,
    };

    fn verdict(decision: Decision, failed: &[&str]) -> Verdict {
        let judged = |id: &&str| CheckVerdict {
            id: id.parse().unwrap(),
            statement: String::new(),
            severity: Severity::High,
            criticality: Criticality::Required,
            status: CheckStatus::Failed,
            skip: None,
            detail: None,
            duration_ms: None,
            attempts: 1,
            fingerprint: None,
        };
        let reason = |id: &&str| Reason {
            allows: decision,
            check: Some(id.parse().unwrap()),
            severity: None,
            text: (*id).to_owned(),
        };
        Verdict {
            v: VERDICT_VERSION,
            decision,
            reason: failed.first().map(ToString::to_string),
            reasons: failed.iter().map(reason).collect(),
            run: None,
            policy: String::new(),
            strict: false,
            judged_at: OffsetDateTime::UNIX_EPOCH,
            duration_ms: None,
            counts: Counts::default(),
            suites: Vec::new(),
            groups: Vec::new(),
            objectives: Vec::new(),
            waivers: Vec::new(),
            checks: failed.iter().map(judged).collect(),
        }
    }

    fn ruling(subject: Subject, decision: Decision, failed: &[&str], suites: &[&str]) -> Ruling {
        let suites: Vec<_> = suites.iter().map(ToString::to_string).collect();
        let verdict = verdict(decision, failed);
        ValidationOutcome::new(subject, &verdict, &suites, Duration::ZERO).ruling
    }

    #[test]
    fn a_defect_is_detected_only_by_a_check_that_must_detect_it() {
        let defect = Subject::Defect(&DEFECT);
        for (decision, failed, expected) in [
            (
                Decision::NoGo,
                "pipeline::the_queue_drains",
                Ruling::Detected,
            ),
            (
                Decision::NoGo,
                "pipeline::the_queue_drains::twice",
                Ruling::Detected,
            ),
            (
                Decision::NoGo,
                "pipeline::the_queue_drains_twice",
                Ruling::Misblamed,
            ),
            (
                Decision::NoGo,
                "pipeline::search_answers",
                Ruling::Misblamed,
            ),
            (
                Decision::Conditional,
                "pipeline::the_queue_drains",
                Ruling::Missed,
            ),
        ] {
            assert_eq!(
                ruling(defect, decision, &[failed], &[]),
                expected,
                "{failed}"
            );
        }
        assert_eq!(ruling(defect, Decision::Go, &[], &[]), Ruling::Missed);
    }

    #[test]
    fn a_healthy_run_is_sound_if_only_unselected_suites_prevent_a_go() {
        let healthy = Subject::Healthy(1);
        assert_eq!(ruling(healthy, Decision::Go, &[], &[]), Ruling::Sound);
        let other = ["security::tokens_expire"];
        assert_eq!(
            ruling(healthy, Decision::Inconclusive, &other, &["pipeline"]),
            Ruling::Sound
        );
        assert_eq!(
            ruling(healthy, Decision::Inconclusive, &other, &[]),
            Ruling::FalseAlarm
        );
    }

    #[test]
    fn a_validation_without_a_record_is_neither_a_detection_nor_a_go() {
        let ruling = |subject| {
            ValidationOutcome::broken(subject, "out of memory".to_owned(), Duration::ZERO).ruling
        };
        assert_eq!(ruling(Subject::Defect(&DEFECT)), Ruling::Missed);
        assert_eq!(ruling(Subject::Healthy(1)), Ruling::FalseAlarm);
    }
}
