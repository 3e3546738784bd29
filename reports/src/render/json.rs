//! `verdict.json`: the complete verdict for programs.

use serde_json::json;

use super::text::is_invisible;
use super::{Render, ReportFile};
use crate::record::Run;
use crate::verdict::{VERDICT_VERSION, Verdict};

/// The verdict as JSON.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl ReportFile for Json {
    fn file_name(&self) -> &'static str {
        "verdict.json"
    }
}

impl Render for Json {
    /// The output is complete: characters that are unsafe on a terminal are escaped.
    fn render(&self, _: &Run, verdict: &Verdict) -> String {
        let json = serde_json::to_string_pretty(verdict);
        // The fallback has no decision, so that no reader takes it for a GO.
        let json = json.unwrap_or_else(|error| {
            json!({"v": VERDICT_VERSION, "error": error.to_string()}).to_string()
        });
        escape(&json) + "\n"
    }
}

/// Escapes invisible characters. The syntax of JSON is printable ASCII, so they only occur in strings.
pub(super) fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_invisible(c) {
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
    fn an_escaped_text_parses_to_the_original() {
        let text = "a\u{202e}b\u{7f}c\u{9b}d\u{e0041}e\u{1b}f\"\\🦀";
        let json = escape(&serde_json::to_string(text).unwrap());
        assert!(!json.chars().any(|c| c.is_control() || is_invisible(c)));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
