//! `verdict.json`: the verdict for programs, complete and unabridged.

use serde_json::json;

use super::Render;
use super::text::is_unseen;
use crate::record::Run;
use crate::verdict::{VERDICT_VERSION, Verdict};

/// The verdict as JSON.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Render for Json {
    /// Nothing is lost: what must not reach a terminal is escaped as JSON escapes it.
    fn render(&self, _: &Run, verdict: &Verdict) -> String {
        let written = serde_json::to_string_pretty(verdict);
        // Without a decision, so that no reader takes it for a GO.
        let written = written.unwrap_or_else(|error| {
            json!({"v": VERDICT_VERSION, "error": error.to_string()}).to_string()
        });
        escaped(&written) + "\n"
    }
}

/// JSON's syntax is printable ASCII, so everything else stands in a string.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unseen(c) {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units).iter();
            escaped.extend(units.map(|unit| format!("\\u{unit:04x}")));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_text_reads_back_as_it_was() {
        let text = "a\u{202e}b\u{7f}c\u{9b}d\u{e0041}e\u{1b}f\"\\🦀";
        let written = escaped(&serde_json::to_string(text).unwrap());
        assert!(!written.chars().any(|c| c.is_control() || is_unseen(c)));
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
