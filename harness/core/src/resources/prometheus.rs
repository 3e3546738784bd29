//! Parses the gauges and counters of a metrics page in the text format of Prometheus or `OpenMetrics`.

use std::collections::HashMap;

use super::series::Kind;

/// The longest name of a metric with its labels that is kept, in bytes.
const LONGEST_NAME: usize = 200;

/// The gauges and counters of a page, with their labels, in its order. Other types, lines that are no samples and
/// values that are not finite are left out: what a target writes must not stop a load.
pub(super) fn parse(page: &str) -> Vec<(String, Kind, f64)> {
    let mut kinds: HashMap<&str, Kind> = HashMap::new();
    let mut values = Vec::new();
    for line in page.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix('#') {
            kinds.extend(declared(comment));
            continue;
        }
        let Some((name, labelled, value)) = sample(line) else {
            continue;
        };
        // `OpenMetrics` declares a counter without the end of its name.
        let kind = kinds.get(name).or_else(|| {
            let family = name.strip_suffix("_total")?;
            kinds.get(family).filter(|kind| **kind == Kind::Counter)
        });
        if let Some(kind) = kind
            && value.is_finite()
            && labelled.len() <= LONGEST_NAME
        {
            values.push((labelled.to_owned(), *kind, value));
        }
    }
    values
}

/// The name and the type of ` TYPE name gauge`.
fn declared(comment: &str) -> Option<(&str, Kind)> {
    let mut words = comment.split_whitespace();
    if words.next()? != "TYPE" {
        return None;
    }
    let name = words.next()?;
    match words.next()? {
        "gauge" => Some((name, Kind::Gauge)),
        "counter" => Some((name, Kind::Counter)),
        _ => None,
    }
}

/// The name without and with labels, and the value, of `jobs{status="a b"} 3 1700000000`.
fn sample(line: &str) -> Option<(&str, &str, f64)> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let name = &line[..end];
    let labels = if line[end..].starts_with('{') {
        end + closing(&line[end..])? + 1
    } else {
        end
    };
    let value = line[labels..].split_whitespace().next()?;
    Some((name, &line[..labels], value.parse().ok()?))
}

/// Where the brace that opens a text closes. A label may contain braces and escaped quotes.
fn closing(text: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_quoted,
            b'"' => is_quoted = !is_quoted,
            b'}' if !is_quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{path="a } b\"} c"} 3
# TYPE queue gauge
queue 12.5
queue{kind="lost"} NaN
# TYPE latency histogram
latency_bucket{le="+Inf"} 4
latency_count 4
# TYPE jobs counter
jobs_total 7 # {trace="x"} 1.0
jobs_created 1.7e9
untyped 1
nonsense
queue{open="1 2
queue twelve
"#;

    #[test]
    fn gauges_and_counters_are_read_with_their_labels() {
        let value = |name: &str, kind, value| (name.to_owned(), kind, value);
        let expected = [
            value(
                r#"http_requests_total{method="post",code="200"}"#,
                Kind::Counter,
                1027.0,
            ),
            value(
                r#"http_requests_total{path="a } b\"} c"}"#,
                Kind::Counter,
                3.0,
            ),
            value("queue", Kind::Gauge, 12.5),
            value("jobs_total", Kind::Counter, 7.0),
        ];
        assert_eq!(parse(PAGE), expected);
    }

    #[test]
    fn a_hostile_page_gives_nothing() {
        let long = format!("# TYPE a gauge\na{{b=\"{}\"}} 1", "x".repeat(10_000));
        for page in [
            "",
            "#",
            "# TYPE",
            "# TYPE a",
            "{} 1",
            "a{",
            "a{\\",
            "é{ü=\"\\",
            "# TYPE a gauge\na",
            &long,
        ] {
            assert_eq!(parse(page), [], "{page}");
        }
    }
}
