//! Evidence and findings as plain lines of text.

use super::duration::human_ms;
use super::text::{sanitize_line, sanitize_lines};
use crate::record::{BodyExcerpt, Evidence, Finding, HttpExchange, Observation, SqlQuery, Wait};

/// The maximum length of one line in characters: a header, a URL, a row.
const MAX_LINE: usize = 2_000;
/// The maximum number of lines of a body, a statement or a finding.
const MAX_LINES: usize = 40;

/// An HTTP request and its result on one line.
pub(super) fn call_line(exchange: &HttpExchange) -> String {
    let result = match (exchange.status, &exchange.error) {
        (Some(status), None) => status.to_string(),
        (Some(status), Some(error)) => format!("{status}, then {error}"),
        (None, Some(error)) => error.clone(),
        (None, None) => "no response".to_owned(),
    };
    let (method, url) = (&exchange.method, &exchange.url);
    let duration = human_ms(exchange.elapsed_ms);
    line(&format!("{method} {url} → {result} in {duration}"))
}

/// One observation: its first line flush, the others indented.
pub(super) fn evidence_lines(evidence: &Evidence) -> Vec<String> {
    match evidence {
        Evidence::Http(exchange) => http_lines(exchange),
        Evidence::Sql(query) => sql_lines(query),
        Evidence::Wait(wait) => vec![wait_line(wait)],
        Evidence::Observed(observation) => observation_lines(observation),
    }
}

/// A finding with its expected and its actual value.
pub(super) fn finding_lines(finding: &Finding) -> Vec<String> {
    let mut shown = sanitize_lines(&finding.summary, MAX_LINES, MAX_LINE);
    for (label, text) in [("expected", &finding.expected), ("actual", &finding.actual)] {
        if let Some(text) = text {
            shown.extend(labelled(label, text));
        }
    }
    shown
}

fn http_lines(exchange: &HttpExchange) -> Vec<String> {
    let mut shown = vec![format!(
        "{}: {}",
        line(&exchange.surface),
        call_line(exchange)
    )];
    shown.push(format!("  request id {}", line(&exchange.correlation_id)));
    let (request, response) = (&exchange.request_body, &exchange.response_body);
    shown.extend(header_lines(">", &exchange.request_headers));
    shown.extend(request.iter().flat_map(|body| body_lines(">", body)));
    shown.extend(header_lines("<", &exchange.response_headers));
    shown.extend(response.iter().flat_map(|body| body_lines("<", body)));
    shown.extend(labelled("curl", &exchange.curl));
    shown
}

fn header_lines(direction: &str, headers: &[(String, String)]) -> Vec<String> {
    let header = |(name, value): &(String, String)| {
        format!("  {direction} {}", line(&format!("{name}: {value}")))
    };
    headers.iter().map(header).collect()
}

fn body_lines(direction: &str, body: &BodyExcerpt) -> Vec<String> {
    let truncated = if body.truncated { ", truncated" } else { "" };
    let text = sanitize_lines(&body.text, MAX_LINES, MAX_LINE);
    let text = text.iter().map(|text| format!("  {direction} {text}"));
    std::iter::once(format!("  {direction} ({} bytes{truncated})", body.bytes))
        .chain(text)
        .collect()
}

fn sql_lines(query: &SqlQuery) -> Vec<String> {
    let result = match &query.error {
        Some(error) => line(error),
        None => format!("{} rows", query.row_count),
    };
    let mut shown = vec![format!("sql: {result} in {}", human_ms(query.elapsed_ms))];
    shown.extend(labelled("statement", &query.sql));
    for (index, parameter) in query.parameters.iter().enumerate() {
        shown.push(format!("  ${} = {}", index + 1, line(parameter)));
    }
    let rows = query.rows.iter().map(ToString::to_string);
    shown.extend(rows.map(|row| format!("  {}", line(&row))));
    shown
}

fn wait_line(wait: &Wait) -> String {
    let result = if wait.satisfied {
        "satisfied after"
    } else {
        "not satisfied within"
    };
    format!(
        "wait for {}: {result} {}, {} polls; last state: {}",
        line(&wait.what),
        human_ms(wait.elapsed_ms),
        wait.attempts,
        line(&wait.last),
    )
}

fn observation_lines(observation: &Observation) -> Vec<String> {
    let (surface, summary) = (&observation.surface, &observation.summary);
    let mut shown = vec![line(&format!("{surface}: {summary}"))];
    if !observation.value.is_null() {
        shown.push(format!("  {}", line(&observation.value.to_string())));
    }
    shown
}

fn line(text: &str) -> String {
    sanitize_line(text, MAX_LINE)
}

fn labelled(label: &str, text: &str) -> Vec<String> {
    let mut shown = sanitize_lines(text, MAX_LINES, MAX_LINE);
    match shown.as_mut_slice() {
        [single] => *single = format!("  {label}: {single}"),
        several => {
            for text in several {
                text.insert_str(0, "    ");
            }
            shown.insert(0, format!("  {label}:"));
        }
    }
    shown
}
