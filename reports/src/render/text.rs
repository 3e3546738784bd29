//! Hostile text made harmless: what the system under test said is shown, and never obeyed.

use std::ops::RangeInclusive;

/// Characters that cannot be seen, or change how their neighbours are seen.
const UNSEEN: &[RangeInclusive<char>] = &[
    // Delete and the C1 controls, which some terminals obey as escape sequences.
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
    // What XML does not allow.
    '\u{fffe}'..='\u{ffff}',
    // Tags and variation selectors, in which whole messages can hide.
    '\u{e0000}'..='\u{e0fff}',
];

/// Where the pictures of the C0 controls begin: `␀`, `␁`, … `␛`, …
const PICTURES: u32 = 0x2400;

/// How many columns a tab takes.
const TAB: &str = "    ";

/// Whether a character other than a C0 control must not reach a reader as it is.
pub(super) fn is_unseen(c: char) -> bool {
    UNSEEN.iter().any(|range| range.contains(&c))
}

/// The text on one line, in at most `most` of its characters.
pub(super) fn line(text: &str, most: usize) -> String {
    let mut shown = String::new();
    text.chars()
        .take(most)
        .for_each(|c| push_visible(&mut shown, c));
    match text.chars().skip(most).count() {
        0 => shown,
        rest => format!("{shown}… ({rest} more characters)"),
    }
}

/// The text as lines, at most `most_lines` of them and each of at most `most` of its characters.
pub(super) fn lines(text: &str, most_lines: usize, most: usize) -> Vec<String> {
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
        .take(most_lines)
        .map(|text| line(text, most))
        .collect();
    let rest = all.skip(most_lines).count();
    if rest > 0 {
        shown.push(format!("… ({rest} more lines)"));
    }
    shown
}

/// The beginning of a harmless text, in at most `most` bytes.
pub(super) fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev();
    let end = end.into_iter().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

fn push_visible(shown: &mut String, c: char) {
    match c {
        '\t' => shown.push_str(TAB),
        '\0'..='\u{1f}' => shown.extend(char::from_u32(PICTURES + u32::from(c))),
        c if is_unseen(c) => shown.extend(c.escape_unicode()),
        c => shown.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_be_obeyed_is_pictured() {
        for (hostile, harmless) in [
            ("\u{1b}[31mred\u{1b}[0m", "␛[31mred␛[0m"),
            ("nul\0bell\u{7}del\u{7f}", "nul␀bell␇del\\u{7f}"),
            ("one\r\ntwo", "one␍␊two"),
            ("a\tb", "a    b"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("pay\u{202e}gpj.exe", "pay\\u{202e}gpj.exe"),
            ("né → 文 🦀", "né → 文 🦀"),
        ] {
            assert_eq!(line(hostile, 100), harmless);
        }
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        assert_eq!(line("äöü", 3), "äöü");
        assert_eq!(line("äöüß!", 3), "äöü… (2 more characters)");
        assert_eq!(lines("a\nb\r\nc\nd", 2, 9), ["a", "b", "… (2 more lines)"]);
        assert_eq!(lines("", 2, 9), ["(empty)"]);
        assert_eq!(lines(" \n", 2, 9), ["(blank)"]);
        assert_eq!(beginning("aä", 2), "a");
        assert_eq!(beginning("aä", 9), "aä");
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_character_that_is_obeyed(text: String) {
            let shown = line(&text, 1_000);
            prop_assert!(!shown.chars().any(|c| c.is_control() || is_unseen(c)), "{shown:?}");
        }
    }
}
