//! What was found, as a list that a person reads.

use std::fmt::Display;

/// What was found.
#[derive(Default)]
pub(super) struct Report {
    pub(super) lines: Vec<String>,
    pub(super) troubles: usize,
}

impl Report {
    /// Notes what came of a step.
    pub(super) fn note<E: Display>(&mut self, what: &str, found: Result<impl Display, E>) {
        match found {
            Ok(found) => self.lines.push(format!("  ok       {what}: {found}")),
            Err(trouble) => {
                self.troubles += 1;
                self.lines.push(format!("  TROUBLE  {what}: {trouble}"));
            }
        }
    }

    /// Notes what came of a step, and gives what it found where it was done.
    pub(super) fn step<T>(
        &mut self,
        what: &str,
        done: Result<T, impl Into<anyhow::Error>>,
        told: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let done = done.map_err(chain);
        self.note(what, done.as_ref().map(told));
        done.ok()
    }
}

/// An error with its causes, in a line.
pub(super) fn chain(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}
