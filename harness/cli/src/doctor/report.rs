//! The results of the doctor, as lines of text.

use std::fmt::Display;

use crate::error_message::one_line;

/// The results so far.
#[derive(Default)]
pub(super) struct Report {
    pub(super) lines: Vec<String>,
    pub(super) failures: usize,
}

impl Report {
    /// Adds the result of a step.
    pub(super) fn add<E: Display>(&mut self, step: &str, result: Result<impl Display, E>) {
        match result {
            Ok(detail) => self.lines.push(format!("  ok      {step}: {detail}")),
            Err(error) => {
                self.failures += 1;
                self.lines.push(format!("  FAILED  {step}: {error}"));
            }
        }
    }

    /// Adds the result of a step, and returns its value if the step succeeded.
    pub(super) fn add_step<T>(
        &mut self,
        step: &str,
        result: Result<T, impl Into<anyhow::Error>>,
        describe: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let result = result.map_err(chain);
        self.add(step, result.as_ref().map(describe));
        result.ok()
    }
}

/// An error with its causes, in one line.
pub(super) fn chain(error: impl Into<anyhow::Error>) -> String {
    one_line(&error.into())
}
