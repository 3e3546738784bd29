//! What one validation said, and whether it said the right thing.

use std::time::Duration;

use cutover_reports::record::CheckId;
use cutover_reports::verdict::{CheckStatus, Decision, Verdict};
use serde::{Serialize, Serializer};

use super::subject::Subject;

/// What one validation said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ValidationOutcome {
    /// The defect's id, or the number of the sound stack.
    pub(crate) id: String,
    /// What was to be seen.
    pub(crate) title: &'static str,
    /// Whether that is what was said.
    pub(crate) ruling: Ruling,
    /// The decision; none where no verdict came about.
    pub(crate) decision: Option<Decision>,
    /// The checks that failed and must notice the defect.
    pub(crate) blamed: Vec<CheckId>,
    /// The checks that failed besides.
    pub(crate) besides: Vec<CheckId>,
    /// The first deciding reason.
    pub(crate) reason: Option<String>,
    /// How long the validation took, with its stacks.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(crate) took: Duration,
}

/// Whether a validation said the right thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ruling {
    /// NO-GO, and a check that is about the defect says so.
    Detected,
    /// NO-GO, and only checks that are about something else say so.
    Misblamed,
    /// No NO-GO in spite of the defect.
    Missed,
    /// GO for a sound stack.
    Sound,
    /// No GO for a sound stack.
    FalseAlarm,
}

impl Ruling {
    /// Whether it is what a calibrated tool says.
    pub(crate) fn is_right(self) -> bool {
        matches!(self, Self::Detected | Self::Sound)
    }

    /// The ruling in a word.
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
    /// Reads a verdict; of no suites all were asked.
    pub(crate) fn of(
        subject: Subject,
        verdict: &Verdict,
        suites: &[String],
        took: Duration,
    ) -> Self {
        let failed = verdict
            .checks
            .iter()
            .filter(|check| check.status == CheckStatus::Failed)
            .map(|check| check.id.clone());
        let (blamed, besides): (Vec<_>, Vec<_>) = failed.partition(|id| blames(subject, id));
        Self {
            ruling: rule(subject, verdict, suites, !blamed.is_empty()),
            decision: Some(verdict.decision),
            reason: verdict.reason.clone(),
            blamed,
            besides,
            ..Self::unread(subject, took)
        }
    }

    /// A validation that left no record.
    pub(crate) fn broken(subject: Subject, why: String, took: Duration) -> Self {
        Self {
            reason: Some(why),
            ..Self::unread(subject, took)
        }
    }

    fn unread(subject: Subject, took: Duration) -> Self {
        Self {
            id: subject.id(),
            title: subject.title(),
            ruling: match subject {
                Subject::Defect(_) => Ruling::Missed,
                Subject::Healthy(_) => Ruling::FalseAlarm,
            },
            decision: None,
            blamed: Vec::new(),
            besides: Vec::new(),
            reason: None,
            took,
        }
    }
}

fn rule(subject: Subject, verdict: &Verdict, suites: &[String], is_blamed: bool) -> Ruling {
    match subject {
        Subject::Defect(_) if verdict.decision != Decision::NoGo => Ruling::Missed,
        Subject::Defect(_) if is_blamed => Ruling::Detected,
        Subject::Defect(_) => Ruling::Misblamed,
        Subject::Healthy(_) if is_quiet(verdict, suites) => Ruling::Sound,
        Subject::Healthy(_) => Ruling::FalseAlarm,
    }
}

/// Whether nothing speaks against a GO but that other suites were not asked for.
fn is_quiet(verdict: &Verdict, suites: &[String]) -> bool {
    let is_asked =
        |id: &CheckId| suites.is_empty() || suites.iter().any(|suite| suite == id.suite());
    verdict
        .reasons
        .iter()
        .all(|reason| reason.check.as_ref().is_some_and(|id| !is_asked(id)))
}

/// Whether a check is one that must notice the defect, or a row of its table.
fn blames(subject: Subject, id: &CheckId) -> bool {
    let Subject::Defect(defect) = subject else {
        return false;
    };
    let is_of = |check: &str| {
        let rest = id.as_str().strip_prefix(check);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    defect.checks.iter().any(|check| is_of(check))
}

fn seconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((took.as_secs_f64() * 10.0).round() / 10.0)
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
        slug: "forgetful-queue",
        title: "A queue forgets.",
        class: DefectClass::DataIntegrity,
        severity: Severity::High,
        location: DefectLocation::Pipeline,
        checks: &["pipeline::the_queue_drains"],
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
            checks: failed.iter().map(judged).collect(),
        }
    }

    fn ruling(subject: Subject, decision: Decision, failed: &[&str], suites: &[&str]) -> Ruling {
        let suites: Vec<_> = suites.iter().map(ToString::to_string).collect();
        let verdict = verdict(decision, failed);
        ValidationOutcome::of(subject, &verdict, &suites, Duration::ZERO).ruling
    }

    #[test]
    fn a_defect_is_detected_only_by_a_check_that_is_about_it() {
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
                "pipeline::the_queue_drains_at_night",
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
    fn a_sound_stack_must_get_a_go_as_far_as_it_was_asked() {
        let sound = Subject::Healthy(1);
        assert_eq!(ruling(sound, Decision::Go, &[], &[]), Ruling::Sound);
        let other = ["security::tokens_expire"];
        assert_eq!(
            ruling(sound, Decision::Inconclusive, &other, &["pipeline"]),
            Ruling::Sound
        );
        assert_eq!(
            ruling(sound, Decision::Inconclusive, &other, &[]),
            Ruling::FalseAlarm
        );
    }

    #[test]
    fn what_left_no_record_is_no_detection_and_no_go() {
        let read = |subject| {
            ValidationOutcome::broken(subject, "it broke".to_owned(), Duration::ZERO).ruling
        };
        assert_eq!(read(Subject::Defect(&DEFECT)), Ruling::Missed);
        assert_eq!(read(Subject::Healthy(1)), Ruling::FalseAlarm);
    }
}
