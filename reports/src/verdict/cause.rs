//! The cause of a failed trial: its first deviating observation, without what differs between trials.

use serde_json::Value;

use super::normalise::{route, without_ids, without_numbers};
use super::place::Place;
use crate::record::{Evidence, Finding, HttpExchange, Outcome, Trial, Wait};

/// The maximum length of a cause in characters.
const MAX_CAUSE: usize = 140;
/// The word before the error in the summary of a job.
const LAST_ERROR: &str = ", last error ";

/// Why a trial failed. Trials with equal keys failed for the same cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// Where it lies in the processing of a document.
    pub place: Place,
    /// The text without numbers, for comparison.
    pub key: String,
    /// The cause in words.
    pub text: String,
}

/// The cause of a trial that failed or has no result because of an error; `None` for any other.
///
/// A pure function of the journal: it reads the observation that deviates and the first finding.
pub fn cause(trial: &Trial) -> Option<Cause> {
    let finding = trial.findings.first();
    match (finding, trial.outcome()) {
        (Some(finding), _) => Some(of_finding(finding, trial)),
        (None, Some(Outcome::Errored { cause })) => Some(of_text(cause, Place::Other)),
        (None, Some(Outcome::Failed)) => Some(of_text("no finding is recorded", Place::Other)),
        (None, Some(Outcome::Passed | Outcome::Skipped { .. }) | None) => None,
    }
}

fn of_finding(finding: &Finding, trial: &Trial) -> Cause {
    match trial.deviation() {
        Some(Evidence::Http(exchange)) => of_exchange(exchange, finding),
        Some(Evidence::Wait(wait)) => {
            let polled = trial
                .observed()
                .iter()
                .rev()
                .find_map(|it| response_to(it, wait));
            polled.unwrap_or_else(|| of_wait(wait, finding))
        }
        Some(Evidence::Sql(query)) => match &query.error {
            Some(error) => of_text(&format!("a query fails: {error}"), Place::Other),
            None => of_text(&finding.summary, Place::Other),
        },
        Some(Evidence::Observed(_)) | None => of_text(&finding.summary, Place::Other),
    }
}

/// A wrong status, a missing response, or what the finding says about the response.
fn of_exchange(exchange: &HttpExchange, finding: &Finding) -> Cause {
    let path = route(&exchange.url);
    let place = Place::of_request(&exchange.surface, &exchange.method, &path);
    let request = format!("{} {path}", exchange.method);
    match (exchange.status, &exchange.error) {
        (Some(status), _) if is_about_status(finding, status) => {
            let expected = finding.expected.as_deref().filter(|it| is_status(it));
            let expected = expected.map(|it| format!(" (expected {it})"));
            let text = format!("{request} answers {status}{}", expected.unwrap_or_default());
            exact(&text, place)
        }
        (None, Some(error)) => of_text(&format!("{request} has no response: {error}"), place),
        _ => of_text(&finding.summary, place),
    }
}

/// Whether the finding compares the status of the response.
fn is_about_status(finding: &Finding, status: u16) -> bool {
    let status = status.to_string();
    let actual = finding.actual.as_deref().unwrap_or_default();
    let is_compared = actual == status || actual.starts_with(&format!("{status} "));
    let mut words = finding.summary.split(|c: char| !c.is_ascii_digit());
    is_compared || words.any(|word| word == status)
}

fn is_status(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The response that a wait saw last, if its last state is the status of this exchange.
fn response_to(evidence: &Evidence, wait: &Wait) -> Option<Cause> {
    let Evidence::Http(exchange) = evidence else {
        return None;
    };
    let status = exchange.status?.to_string();
    let is_last = wait.last == status || wait.last.starts_with(&format!("{status} "));
    if wait.satisfied || !is_last {
        return None;
    }
    let path = route(&exchange.url);
    let place = Place::of_request(&exchange.surface, &exchange.method, &path);
    let text = format!(
        "{} {path} answers {status} until the deadline",
        exchange.method
    );
    Some(exact(&text, place))
}

/// The state in which a job or another condition stays, or in which a job ends.
fn of_wait(wait: &Wait, finding: &Finding) -> Cause {
    let is_job = wait.what.starts_with("job ");
    let ended = finding.actual.as_deref();
    match ended {
        _ if is_job && !wait.satisfied => of_job("a job stays in", &wait.last),
        Some(ended) if is_job && finding.summary.starts_with("job ") => {
            of_job("a job ends in", ended)
        }
        _ if !wait.satisfied => {
            let text = format!("{}: the last state is {}", wait.what, wait.last);
            of_text(&text, Place::Other)
        }
        _ => of_text(&finding.summary, Place::Other),
    }
}

/// A job with a status, a state, and the code of its last error.
fn of_job(verb: &str, summary: &str) -> Cause {
    let (standing, error) = match summary.split_once(LAST_ERROR) {
        Some((standing, error)) => (standing, Some(error)),
        None => (summary, None),
    };
    let status = standing.split(',').next().unwrap_or_default();
    let code = error.map(|error| {
        let parsed = serde_json::from_str::<Value>(error).unwrap_or_default();
        let code = parsed.get("code").and_then(Value::as_str);
        code.map_or_else(|| error.to_owned(), str::to_owned)
    });
    let code = code.map_or(String::new(), |code| format!(" with error {code}"));
    of_text(
        &format!("{verb} '{standing}'{code}"),
        Place::of_status(status),
    )
}

/// A cause whose numbers differ between trials.
fn of_text(text: &str, place: Place) -> Cause {
    let text = shortened(&without_ids(text));
    let key = without_numbers(&text);
    Cause { place, key, text }
}

/// A cause whose numbers matter.
fn exact(text: &str, place: Place) -> Cause {
    let text = shortened(text);
    let key = text.clone();
    Cause { place, key, text }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_CAUSE {
        return text.to_owned();
    }
    text.chars().take(MAX_CAUSE - 1).chain(['…']).collect()
}
