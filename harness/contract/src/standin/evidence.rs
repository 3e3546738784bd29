//! What the stand-ins saw, as evidence: the newest calls, with texts cut to a readable length.

use cutover_reports::record::{Evidence, Observation};
use serde::Serialize;
use serde_json::Value;

/// How many calls are kept of one look.
const MOST_CALLS: usize = 5;
/// How many characters are kept of a text.
const LONGEST_TEXT: usize = 400;

/// That a stand-in was scripted.
pub(super) fn scripted(standin: &str, script: &impl Serialize) -> Evidence {
    observed(format!("the {standin} is scripted"), script)
}

/// The calls that a stand-in saw in a scope.
pub(super) fn seen(standin: &str, scope: &str, calls: &[impl Serialize]) -> Evidence {
    let newest = &calls[calls.len().saturating_sub(MOST_CALLS)..];
    let count = calls.len();
    observed(
        format!("the {standin} saw {count} calls about '{scope}'"),
        &newest,
    )
}

fn observed(summary: String, value: &impl Serialize) -> Evidence {
    // What cannot be put into JSON is left out; the summary stands.
    let value = serde_json::to_value(value).map_or(Value::Null, shortened);
    Evidence::Observed(Observation {
        surface: "stand-ins".to_owned(),
        summary,
        value,
    })
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => {
            let cut = text.floor_char_boundary(LONGEST_TEXT);
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
    fn the_newest_calls_are_kept_and_long_texts_are_cut() {
        let calls: Vec<_> = (0..9)
            .map(|n| serde_json::json!({"n": n, "text": "é".repeat(900)}))
            .collect();
        let Evidence::Observed(seen) = seen("parser", "x", &calls) else {
            panic!("expected an observation")
        };
        assert_eq!(seen.summary, "the parser saw 9 calls about 'x'");
        assert_eq!(seen.value.as_array().map(Vec::len), Some(MOST_CALLS));
        assert_eq!(seen.value[0]["n"], 4);
        let text = seen.value[0]["text"].as_str().unwrap();
        assert!(
            text.ends_with("… (1800 bytes)") && text.len() < 500,
            "{text}"
        );
    }
}
