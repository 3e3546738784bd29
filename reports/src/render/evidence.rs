//! Evidence as plain lines, for readers who want all of it.

use super::span::spoken_ms;
use super::text::{line, lines};
use crate::record::{Body, Evidence, Finding, HttpExchange, Observation, SqlQuery, Wait};

/// How much of one line is shown: a header, an address, a row.
const LINE: usize = 2_000;
/// How many lines of a body, a statement or a finding are shown.
const LINES: usize = 40;

/// A request and what came of it, on one line.
pub(super) fn call(exchange: &HttpExchange) -> String {
    let came = match (exchange.status, &exchange.error) {
        (Some(status), None) => status.to_string(),
        (Some(status), Some(error)) => format!("{status}, then {error}"),
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".to_owned(),
    };
    let (method, url) = (&exchange.method, &exchange.url);
    let text = format!(
        "{method} {url} → {came} in {}",
        spoken_ms(exchange.elapsed_ms)
    );
    line(&text, LINE)
}

/// One observation, its first line flush and the others indented.
pub(super) fn observed(evidence: &Evidence) -> Vec<String> {
    match evidence {
        Evidence::Http(exchange) => http(exchange),
        Evidence::Sql(query) => sql(query),
        Evidence::Wait(wait) => vec![waited(wait)],
        Evidence::Observed(observation) => seen(observation),
    }
}

/// A finding, what was expected, and what happened instead.
pub(super) fn found(finding: &Finding) -> Vec<String> {
    let mut shown = lines(&finding.summary, LINES, LINE);
    for (label, text) in [("expected", &finding.expected), ("actual", &finding.actual)] {
        if let Some(text) = text {
            shown.extend(labelled(label, text));
        }
    }
    shown
}

fn http(exchange: &HttpExchange) -> Vec<String> {
    let mut shown = vec![format!(
        "{}: {}",
        line(&exchange.surface, LINE),
        call(exchange)
    )];
    shown.push(format!(
        "  request id {}",
        line(&exchange.correlation_id, LINE)
    ));
    shown.extend(headers(">", &exchange.request_headers));
    shown.extend(exchange.request_body.iter().flat_map(|it| body(">", it)));
    shown.extend(headers("<", &exchange.response_headers));
    shown.extend(exchange.response_body.iter().flat_map(|it| body("<", it)));
    shown.extend(labelled("repeat", &exchange.curl));
    shown
}

fn headers(way: &str, headers: &[(String, String)]) -> Vec<String> {
    let header = |(name, value): &(String, String)| {
        format!("  {way} {}", line(&format!("{name}: {value}"), LINE))
    };
    headers.iter().map(header).collect()
}

fn body(way: &str, body: &Body) -> Vec<String> {
    let cut = if body.truncated {
        ", of which the beginning"
    } else {
        ""
    };
    let text = lines(&body.text, LINES, LINE);
    let text = text.iter().map(|text| format!("  {way} {text}"));
    std::iter::once(format!("  {way} ({} bytes{cut})", body.bytes))
        .chain(text)
        .collect()
}

fn sql(query: &SqlQuery) -> Vec<String> {
    let came = match &query.error {
        Some(error) => line(error, LINE),
        None => format!("{} rows", query.row_count),
    };
    let mut shown = vec![format!("sql: {came} in {}", spoken_ms(query.elapsed_ms))];
    shown.extend(labelled("statement", &query.sql));
    for (index, parameter) in query.parameters.iter().enumerate() {
        shown.push(format!("  ${} = {}", index + 1, line(parameter, LINE)));
    }
    let rows = query.rows.iter().map(ToString::to_string);
    shown.extend(rows.map(|row| format!("  {}", line(&row, LINE))));
    shown
}

fn waited(wait: &Wait) -> String {
    let came = if wait.satisfied {
        "came"
    } else {
        "did not come"
    };
    format!(
        "waited for {}: it {came} in {}, looked at {} times; last seen: {}",
        line(&wait.what, LINE),
        spoken_ms(wait.elapsed_ms),
        wait.attempts,
        line(&wait.last, LINE),
    )
}

fn seen(observation: &Observation) -> Vec<String> {
    let (surface, summary) = (&observation.surface, &observation.summary);
    let mut shown = vec![line(&format!("{surface}: {summary}"), LINE)];
    if !observation.value.is_null() {
        shown.push(format!("  {}", line(&observation.value.to_string(), LINE)));
    }
    shown
}

fn labelled(label: &str, text: &str) -> Vec<String> {
    let mut shown = lines(text, LINES, LINE);
    match shown.as_mut_slice() {
        [only] => *only = format!("  {label}: {only}"),
        several => {
            for text in several {
                text.insert_str(0, "    ");
            }
            shown.insert(0, format!("  {label}:"));
        }
    }
    shown
}
