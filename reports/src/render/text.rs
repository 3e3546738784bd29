//! Sanitizing of hostile text: it is shown, but a terminal, a browser or a parser never interprets it.

use std::ops::RangeInclusive;

/// Characters that are invisible or change the appearance of their neighbours.
const INVISIBLE: &[RangeInclusive<char>] = &[
    // Delete and the C1 controls, which some terminals interpret as escape sequences.
    '\u{7f}'..='\u{9f}',
    '\u{ad}'..='\u{ad}',
    // Marks, embeddings, overrides and isolates of bidirectional text; zero-width characters.
    '\u{61c}'..='\u{61c}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff9}'..='\u{fffb}',
    // Characters that XML does not allow.
    '\u{fffe}'..='\u{ffff}',
    // Tags and variation selectors, which can hide whole messages.
    '\u{e0000}'..='\u{e0fff}',
];

/// The first of the symbols for the C0 controls: `␀`, `␁`, … `␛`, …
const CONTROL_PICTURES: u32 = 0x2400;

/// The substitute for a tab.
const TAB: &str = "    ";

/// Whether a character, other than a C0 control, must not be shown unescaped.
pub(super) fn is_invisible(c: char) -> bool {
    INVISIBLE.iter().any(|range| range.contains(&c))
}

/// The text on one sanitized line, truncated after `max` characters.
pub(super) fn sanitize_line(text: &str, max: usize) -> String {
    let mut shown = String::new();
    text.chars()
        .take(max)
        .for_each(|c| push_sanitized(&mut shown, c));
    match text.chars().skip(max).count() {
        0 => shown,
        rest => format!("{shown}… ({rest} more characters)"),
    }
}

/// The first `max_lines` lines of the text, each sanitized and truncated after `max` characters.
pub(super) fn sanitize_lines(text: &str, max_lines: usize, max: usize) -> Vec<String> {
    if text.trim().is_empty() {
        let blank = if text.is_empty() {
            "(empty)"
        } else {
            "(blank)"
        };
        return vec![blank.to_owned()];
    }
    let all = text.lines();
    let mut shown: Vec<_> = all
        .clone()
        .take(max_lines)
        .map(|text| sanitize_line(text, max))
        .collect();
    let rest = all.skip(max_lines).count();
    if rest > 0 {
        shown.push(format!("… ({rest} more lines)"));
    }
    shown
}

/// The beginning of a sanitized text, at most `max` bytes.
pub(super) fn truncate_bytes(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev();
    let end = end.into_iter().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

fn push_sanitized(shown: &mut String, c: char) {
    match c {
        '\t' => shown.push_str(TAB),
        '\0'..='\u{1f}' => shown.extend(char::from_u32(CONTROL_PICTURES + u32::from(c))),
        c if is_invisible(c) => shown.extend(c.escape_unicode()),
        c => shown.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_and_invisible_characters_become_visible() {
        for (hostile, sanitized) in [
            ("\u{1b}[31mred\u{1b}[0m", "␛[31mred␛[0m"),
            ("nul\0bell\u{7}del\u{7f}", "nul␀bell␇del\\u{7f}"),
            ("one\r\ntwo", "one␍␊two"),
            ("a\tb", "a    b"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("pay\u{202e}gpj.exe", "pay\\u{202e}gpj.exe"),
            ("né → 文 🦀", "né → 文 🦀"),
        ] {
            assert_eq!(sanitize_line(hostile, 100), sanitized);
        }
    }

    #[test]
    fn a_long_text_is_truncated_with_a_note() {
        assert_eq!(sanitize_line("äöü", 3), "äöü");
        assert_eq!(sanitize_line("äöüß!", 3), "äöü… (2 more characters)");
        let lines = sanitize_lines("a\nb\r\nc\nd", 2, 9);
        assert_eq!(lines, ["a", "b", "… (2 more lines)"]);
        assert_eq!(sanitize_lines("", 2, 9), ["(empty)"]);
        assert_eq!(sanitize_lines(" \n", 2, 9), ["(blank)"]);
        assert_eq!(truncate_bytes("aä", 2), "a");
        assert_eq!(truncate_bytes("aä", 9), "aä");
    }

    proptest! {
        #[test]
        fn a_sanitized_line_has_no_control_or_invisible_character(text: String) {
            let shown = sanitize_line(&text, 1_000);
            prop_assert!(!shown.chars().any(|c| c.is_control() || is_invisible(c)), "{shown:?}");
        }
    }
}
