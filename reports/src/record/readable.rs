//! Values of a comparison as a person writes them, made from their `Debug` output.
//!
//! `Debug` is the only format that every value of a check has. This module
//! removes what only a Rust programmer reads: `Some("a")` becomes `"a"`, `None`
//! becomes `nothing`, and `String("a")` of a JSON value becomes `"a"`.

use std::fmt::Debug;
use std::iter::Peekable;
use std::str::CharIndices;

/// Variants that wrap the value itself.
const WRAPPERS: [&str; 5] = ["Some", "Ok", "String", "Number", "Bool"];
/// Names of JSON values that precede a list or an object.
const PREFIXES: [&str; 2] = ["Array ", "Object "];

/// Two values as readable texts. If the texts are equal, they are the `Debug` output, because the
/// values differ.
pub(super) fn readable_pair(
    expected: &(impl Debug + ?Sized),
    actual: &(impl Debug + ?Sized),
) -> (String, String) {
    let (expected, actual) = (format!("{expected:?}"), format!("{actual:?}"));
    let readable = (readable(&expected), readable(&actual));
    if readable.0 == readable.1 {
        (expected, actual)
    } else {
        readable
    }
}

/// A readable form of `Debug` output; the output itself if it does not have the usual syntax.
fn readable(debug: &str) -> String {
    let reader = Reader {
        text: debug,
        chars: debug.char_indices().peekable(),
        wrapped: Vec::new(),
        shown: String::with_capacity(debug.len()),
    };
    reader.read().unwrap_or_else(|| debug.to_owned())
}

/// Reads `Debug` output from left to right.
struct Reader<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
    /// For each open parenthesis, whether it belongs to a wrapper.
    wrapped: Vec<bool>,
    shown: String,
}

impl Reader<'_> {
    /// The readable form; `None` if a quote or a parenthesis has no counterpart.
    fn read(mut self) -> Option<String> {
        while let Some((start, c)) = self.chars.next() {
            match c {
                '"' => self.string()?,
                '\'' if self.text[start..].starts_with("'\"'") => self.copy_char_literal(),
                '(' => {
                    self.wrapped.push(false);
                    self.shown.push(c);
                }
                ')' => {
                    if !self.wrapped.pop()? {
                        self.shown.push(c);
                    }
                }
                c if c.is_alphabetic() || c == '_' => self.word(start),
                c => self.shown.push(c),
            }
        }
        self.wrapped.is_empty().then_some(self.shown)
    }

    /// Copies the rest of a string literal. Only escapes of visible characters and line breaks are
    /// resolved, so that no control character gets through.
    fn string(&mut self) -> Option<()> {
        self.shown.push('"');
        loop {
            let (_, c) = self.chars.next()?;
            match c {
                '"' => break,
                '\\' => match self.chars.next()?.1 {
                    'n' => self.shown.push('\n'),
                    c @ ('"' | '\'' | '\\') => self.shown.push(c),
                    c => self.shown.extend(['\\', c]),
                },
                c => self.shown.push(c),
            }
        }
        self.shown.push('"');
        Some(())
    }

    /// Copies the character literal of a quote, which does not begin a string.
    fn copy_char_literal(&mut self) {
        self.shown.push_str("'\"'");
        self.chars.nth(1);
    }

    /// Copies a word, or its readable form.
    fn word(&mut self, start: usize) {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        while self.chars.next_if(|(_, c)| is_part(*c)).is_some() {}
        let end = self.chars.peek().map_or(self.text.len(), |(end, _)| *end);
        let (word, rest) = (&self.text[start..end], &self.text[end..]);
        let is_prefix = |prefix: &&str| {
            let word_and_rest = self.text[start..].strip_prefix(*prefix);
            word_and_rest.is_some_and(|rest| rest.starts_with(['[', '{']))
        };
        if WRAPPERS.contains(&word) && rest.starts_with('(') {
            self.wrapped.push(true);
            self.chars.next();
        } else if PREFIXES.iter().any(is_prefix) {
            self.chars.next();
        } else {
            self.shown.push_str(match word {
                "None" => "nothing",
                "Null" => "null",
                word => word,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn shown(value: &impl Debug) -> String {
        readable(&format!("{value:?}"))
    }

    #[derive(Debug)]
    #[expect(dead_code, reason = "its Debug output is the input")]
    struct Row {
        name: Option<&'static str>,
        bytes: Option<u64>,
        state: Result<(&'static str, u8), String>,
    }

    #[test]
    fn a_value_has_no_rust_syntax_around_it() {
        assert_eq!(shown(&409), "409");
        assert_eq!(shown(&Some(409)), "409");
        assert_eq!(shown(&None::<u8>), "nothing");
        assert_eq!(shown(&Some(Some("a"))), "\"a\"");
        assert_eq!(shown(&Ok::<_, String>("a")), "\"a\"");
        assert_eq!(shown(&[Some("a"), None]), "[\"a\", nothing]");
        assert_eq!(shown(&(Some(1), "b", '"')), "(1, \"b\", '\"')");
        let row = Row {
            name: Some("a.pdf"),
            bytes: None,
            state: Ok(("done", 1)),
        };
        assert_eq!(
            shown(&row),
            "Row { name: \"a.pdf\", bytes: nothing, state: (\"done\", 1) }"
        );
    }

    #[test]
    fn a_json_value_looks_like_json() {
        let value = json!({"a": [1, "b", null, true], "c": {"d": "Some(x)"}});
        assert_eq!(
            shown(&Some(&value)),
            r#"{"a": [1, "b", null, true], "c": {"d": "Some(x)"}}"#
        );
    }

    #[test]
    fn a_string_has_plain_quotes_and_real_line_breaks() {
        assert_eq!(shown(&"a \"b\" c"), "\"a \"b\" c\"");
        assert_eq!(shown(&"one\ntwo"), "\"one\ntwo\"");
        assert_eq!(shown(&"it's None, Some(1)"), "\"it's None, Some(1)\"");
        assert_eq!(shown(&"\u{1b}[31m\t\u{202e}"), r#""\u{1b}[31m\t\u{202e}""#);
    }

    #[test]
    fn other_output_is_unchanged() {
        for text in [
            "2026-01-01 0:00:00.0 +00:00:00",
            "1.5s",
            "a) b",
            "an \"open quote",
            "Some(1",
        ] {
            assert_eq!(readable(text), text);
        }
    }

    #[test]
    fn equal_texts_of_different_values_are_told_apart_by_their_debug_output() {
        let pair = readable_pair(&Some(None::<u8>), &None::<Option<u8>>);
        assert_eq!(pair, ("Some(None)".to_owned(), "None".to_owned()));
    }

    proptest! {
        #[test]
        fn an_option_looks_like_its_value(text: String, list: Vec<(String, Option<u8>)>) {
            prop_assert_eq!(shown(&Some(&text)), shown(&text));
            prop_assert_eq!(shown(&Some(&list)), shown(&list));
        }

        #[test]
        fn any_text_is_accepted(text: String) {
            readable(&text);
        }
    }
}
