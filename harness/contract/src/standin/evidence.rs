//! The requests that the stand-ins received, as evidence: the newest ones, with shortened texts.

use cutover_reports::record::{Evidence, Observation};
use serde::Serialize;
use serde_json::Value;

/// The number of requests that are kept per query.
const MAX_CALLS: usize = 5;
/// The number of bytes of a text that are kept.
const MAX_TEXT: usize = 400;

/// Evidence of a script.
pub(super) fn scripted(standin: &str, script: &impl Serialize) -> Evidence {
    observed(format!("a script for the {standin} is active"), script)
}

/// Evidence of the requests that a stand-in received in a scope.
pub(super) fn received(standin: &str, scope: &str, calls: &[impl Serialize]) -> Evidence {
    let newest = &calls[calls.len().saturating_sub(MAX_CALLS)..];
    let count = calls.len();
    observed(
        format!("the {standin} received {count} requests in scope '{scope}'"),
        &newest,
    )
}

fn observed(summary: String, value: &impl Serialize) -> Evidence {
    // A value that cannot be serialized is omitted; the summary is kept.
    let value = serde_json::to_value(value).map_or(Value::Null, shortened);
    Evidence::Observed(Observation {
        surface: "stand-ins".to_owned(),
        summary,
        value,
    })
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            let cut = text.floor_char_boundary(MAX_TEXT);
            Value::from(format!("{}… ({} bytes)", &text[..cut], text.len()))
        }
        Value::Array(values) => values.into_iter().map(shortened).collect(),
        Value::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name, shortened(value)));
            Value::Object(fields.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_requests_are_kept_and_long_texts_are_shortened() {
        let calls: Vec<_> = (0..9)
            .map(|n| serde_json::json!({"n": n, "text": "é".repeat(900)}))
            .collect();
        let Evidence::Observed(observed) = received("parser", "x", &calls) else {
            panic!("expected an observation")
        };
        assert_eq!(
            observed.summary,
            "the parser received 9 requests in scope 'x'"
        );
        assert_eq!(observed.value.as_array().map(Vec::len), Some(MAX_CALLS));
        assert_eq!(observed.value[0]["n"], 4);
        let text = observed.value[0]["text"].as_str().unwrap();
        assert!(
            text.ends_with("… (1800 bytes)") && text.len() < 500,
            "{text}"
        );
    }
}
