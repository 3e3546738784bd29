//! Why a check stopped: the system is wrong, we could not tell, or the question does not apply.

use cutover_reports::record::{Finding, SkipClass};

/// What a check returns: `Ok` when its statement held.
pub type CheckResult<T = ()> = Result<T, Stop>;

/// Why a check stopped before its end.
#[derive(Debug)]
pub enum Stop {
    /// The system under test is wrong.
    Violated(Box<Finding>),
    /// We could not tell.
    Error(anyhow::Error),
    /// The question does not apply to this target, or cannot be asked.
    Skip {
        /// What kind of skip it is.
        class: SkipClass,
        /// Why, for a person.
        reason: String,
    },
}

impl Stop {
    /// The system under test is wrong.
    pub fn violated(finding: Finding) -> Self {
        Self::Violated(Box::new(finding))
    }

    /// What it says, in a line.
    pub fn told(&self) -> String {
        match self {
            Self::Violated(finding) => finding.summary.clone(),
            Self::Error(error) => format!("{error:#}"),
            Self::Skip { reason, .. } => reason.clone(),
        }
    }

    /// The statement does not apply to this target.
    pub fn not_applicable(reason: impl Into<String>) -> Self {
        Self::Skip {
            class: SkipClass::NotApplicable,
            reason: reason.into(),
        }
    }

    /// The target does not give what the check needs.
    pub fn precondition_missing(reason: impl Into<String>) -> Self {
        Self::Skip {
            class: SkipClass::PreconditionMissing,
            reason: reason.into(),
        }
    }
}

/// Any error means *could not tell*; only [`ensure!`](crate::ensure) says *wrong*.
impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Stops the check with a finding unless the condition holds.
///
/// ```
/// # use cutover_evidence::{ensure, stop::CheckResult};
/// fn every_chunk_has_a_vector(missing: usize, chunks: usize) -> CheckResult {
///     ensure!(missing == 0, "{missing} of {chunks} chunks have no vector");
///     Ok(())
/// }
/// assert!(every_chunk_has_a_vector(1, 2).is_err());
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($summary:tt)+) => {
        if !$condition {
            return Err($crate::stop::Stop::violated(
                $crate::record::Finding::new(format!($($summary)+)),
            ));
        }
    };
}

/// Stops the check with a finding that shows both sides unless they are equal.
///
/// The expected value comes second, as in a sentence: *the status is 409*.
#[macro_export]
macro_rules! ensure_eq {
    ($actual:expr, $expected:expr, $($summary:tt)+) => {
        // A match, so that what the sides borrow from lives until they are compared.
        match (&$actual, &$expected) {
            (actual, expected) => {
                if *actual != *expected {
                    return Err($crate::stop::Stop::violated(
                        $crate::record::Finding::new(format!($($summary)+))
                            .comparing(format!("{expected:?}"), format!("{actual:?}")),
                    ));
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compares() -> CheckResult {
        ensure_eq!(500, 409, "a duplicate is answered with the wrong status");
        Ok(())
    }

    fn asks() -> CheckResult {
        std::fs::read("/does/not/exist")?;
        Ok(())
    }

    #[test]
    fn a_comparison_shows_both_sides() {
        let Err(Stop::Violated(finding)) = compares() else {
            panic!("expected a finding")
        };
        assert_eq!(finding.expected.as_deref(), Some("409"));
        assert_eq!(finding.actual.as_deref(), Some("500"));
    }

    #[test]
    fn an_error_means_could_not_tell() {
        assert!(matches!(asks(), Err(Stop::Error(_))));
    }
}
