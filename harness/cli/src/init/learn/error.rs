//! Why a target could not be learnt.

use cutover_contract::probe::HttpError;

/// Why a target could not be learnt.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LearnError {
    /// A request had no response.
    #[error("send a request to the target")]
    Http(#[from] HttpError),
    /// The contract so far does not have a route that learning starts with.
    #[error(
        "the route '{0}' is not known; give it with --set 'routes.{0}=POST /path', or an OpenAPI document"
    )]
    NoRoute(&'static str),
    /// A step was refused, and without it nothing more can be seen.
    #[error("{step}: the target answered {answer}; {remedy}")]
    Refused {
        /// The step.
        step: &'static str,
        /// The status and the beginning of the body.
        answer: String,
        /// What to try.
        remedy: &'static str,
    },
    /// An answer has no value that the next step needs.
    #[error(
        "the answer to the registration has no {0}; name its field with --set fields.accepted.{1}=/pointer"
    )]
    NoField(&'static str, &'static str),
    /// The answer for a job has no status.
    #[error(
        "the answer for the job has no status; name its field with --set fields.job.status=/pointer"
    )]
    NoStatus,
    /// The URL of a request cannot be built.
    #[error("'{0}' is not a URL")]
    Url(String),
    /// The document reached no final status.
    #[error("the document reached no final status within {0} s; its statuses were: {1}")]
    NotFinal(u64, String),
    /// Something else failed before or between the requests.
    #[error("prepare the requests")]
    Other(#[source] anyhow::Error),
}
