//! Why a check stops: the system is wrong, the check could not tell, or it does not apply.

use cutover_reports::record::{Finding, SkipClass};

/// The result of a check: `Ok` if its statement held.
pub type CheckResult<T = ()> = Result<T, Stop>;

/// Why a check stops before its end.
#[derive(Debug)]
pub enum Stop {
    /// The system under test is wrong.
    Violated(Box<Finding>),
    /// The check could not tell whether the statement holds.
    Error(anyhow::Error),
    /// The statement does not apply, or the check cannot run on this target.
    Skip {
        /// The kind of skip.
        class: SkipClass,
        /// The reason, in words.
        reason: String,
    },
}

impl Stop {
    /// The system under test is wrong.
    pub fn violated(finding: Finding) -> Self {
        Self::Violated(Box::new(finding))
    }

    /// The reason on one line.
    pub fn summary(&self) -> String {
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

    /// The target lacks something that the check requires.
    pub fn precondition_missing(reason: impl Into<String>) -> Self {
        Self::Skip {
            class: SkipClass::PreconditionMissing,
            reason: reason.into(),
        }
    }
}

/// Any error means *could not tell*. Only [`ensure!`](crate::ensure) means *wrong*.
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

/// Stops the check with a finding that shows both values unless they are equal.
///
/// The expected value is the second argument, as in the sentence *the status is 409*.
#[macro_export]
macro_rules! ensure_eq {
    ($actual:expr, $expected:expr, $($summary:tt)+) => {
        // A match keeps the temporaries of both expressions alive during the comparison.
        match (&$actual, &$expected) {
            (actual, expected) => {
                if *actual != *expected {
                    return Err($crate::stop::Stop::violated(
                        $crate::record::Finding::new(format!($($summary)+))
                            .comparing_values(expected, actual),
                    ));
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare<T: PartialEq + std::fmt::Debug>(actual: &T, expected: &T) -> CheckResult {
        ensure_eq!(actual, expected, "the values differ");
        Ok(())
    }

    fn read_missing_file() -> CheckResult {
        std::fs::read("/does/not/exist")?;
        Ok(())
    }

    /// The expected and the actual value in the finding.
    fn values(result: CheckResult) -> [Option<String>; 2] {
        let Err(Stop::Violated(finding)) = result else {
            panic!("expected a finding")
        };
        [finding.expected, finding.actual]
    }

    #[test]
    fn a_comparison_shows_both_values() {
        let shown = values(compare(&500, &409));
        assert_eq!(shown, ["409", "500"].map(|text| Some(text.to_owned())));
    }

    #[test]
    fn a_comparison_shows_an_option_as_its_value() {
        let shown = values(compare(&None, &Some("done")));
        let expected = ["\"done\"", "nothing"].map(|text| Some(text.to_owned()));
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_error_means_could_not_tell() {
        assert!(matches!(read_missing_file(), Err(Stop::Error(_))));
    }
}
