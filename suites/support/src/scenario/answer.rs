//! What an answer during a fault may be: the truth, or that the service cannot answer now.

use cutover_harness::contract::ResponseResult;
use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Response};

use super::history::{Action, Happened, History, Operation};

/// An answer to a client during a fault.
pub(super) enum Answer {
    /// An answer that means something.
    Given(Box<Response>),
    /// The service cannot answer now; the request has no effect.
    Busy,
    /// No answer: the connection failed, or the client did not wait longer.
    Nothing,
}

/// What the answers to the clients of a scenario must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expectation {
    /// Whether the fault is on the clients' own way: they give up themselves, and may get no answer.
    pub(super) on_the_way: bool,
    /// Whether the request needs the link with the fault.
    pub(super) needs_link: bool,
    /// Whether the service may answer by an error.
    pub(super) error_answer: bool,
}

impl Expectation {
    /// Records what became of an operation, and reads its answer; a finding if the service keeps a
    /// client waiting.
    pub(super) fn read(
        self,
        history: &History<'_>,
        operation: Operation,
        attempt: ResponseResult,
    ) -> CheckResult<Answer> {
        let (event, answer) = match attempt {
            Ok(response) if is_busy(&response) => {
                self.expect_need(&response)?;
                let status = response.status;
                (Happened::Failed { status }, Answer::Busy)
            }
            // The caller judges it, and records the result.
            Ok(response) => return Ok(Answer::Given(Box::new(response))),
            Err(error) => {
                self.expect_end(&error)?;
                let cause = error.to_string();
                (Happened::Unknown { cause }, Answer::Nothing)
            }
        };
        history.record(operation, event);
        Ok(answer)
    }

    /// An error of the service is a finding if the fault does not break the request.
    fn expect_need(self, response: &Response) -> CheckResult {
        if self.error_answer || response.status < 500 {
            return Ok(());
        }
        let what = if self.needs_link {
            "a fault that only slows fails a request"
        } else {
            "a fault elsewhere fails a request that does not need it"
        };
        let summary = format!("{what}: {}", response.status);
        let expected = "the answer that it has without the fault";
        Err(Stop::violated(
            Finding::new(summary).comparing(expected, response.summary()),
        ))
    }

    /// A request that gets no answer is a finding if its client's own way to the service has no fault.
    fn expect_end(self, error: &HttpError) -> CheckResult {
        match error {
            HttpError::NoResponse { .. } | HttpError::Unreachable { .. } => {
                ensure!(self.on_the_way, "during a fault, {error}");
                Ok(())
            }
            HttpError::Client(_) | HttpError::Unsendable { .. } => {
                Err(anyhow::anyhow!(error.to_string()).into())
            }
        }
    }
}

/// Whether the service says that it cannot answer now.
fn is_busy(response: &Response) -> bool {
    response.status >= 500 || matches!(response.status, 408 | 425 | 429)
}

/// An answer during a fault that is neither the truth nor an error of the service.
pub(super) fn wrong_answer(action: Action, expected: &str, response: &Response) -> Stop {
    let what = match action {
        Action::Register => "a registration",
        Action::Upload => "an upload",
        Action::Read => "a request for a complete job",
        Action::Document => "a request for a complete document",
        Action::List => "a request for the list of jobs",
        Action::Search => "a search for a complete document",
        Action::Retry => "a retry by the user",
        Action::Delete => "a deletion",
    };
    let summary = format!(
        "during a fault, {what} gets an untrue answer: {}",
        response.status
    );
    Stop::violated(Finding::new(summary).comparing(expected, response.summary()))
}
