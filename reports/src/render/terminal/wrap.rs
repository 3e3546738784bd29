//! Wrapping of one line of text, with breaks inside of ids and paths at their separators.

use textwrap::WordSeparator;
use textwrap::core::{Word, break_words, display_width};
use textwrap::wrap_algorithms::wrap_first_fit;

/// The separator of items on a line.
const ITEM_SEPARATOR: &str = " · ";
/// The maximum width of an item that stays on one line.
const MAX_UNBROKEN_ITEM: usize = 40;
/// A blank that is not a place for a break.
const NO_BREAK_SPACE: &str = "\u{a0}";
/// The ends of the parts of ids and paths.
const SEPARATORS: [&str; 4] = ["::", "_", "/", "."];

/// Wraps a line to a width. A word that is too long for a whole line is broken after a separator,
/// and anywhere only if a part of it is still too long.
pub(super) fn wrap(line: &str, width: usize) -> Vec<String> {
    let words = WordSeparator::AsciiSpace.find_words(line);
    let words = words.flat_map(|word| {
        if display_width(word.word) > width {
            parts(&word)
        } else {
            vec![word]
        }
    });
    let words = break_words(words, width);
    let width = f64::from(u32::try_from(width).unwrap_or(u32::MAX));
    let lines = wrap_first_fit(&words, &[width]);
    lines.into_iter().map(join).collect()
}

/// Wraps a line of items that are separated by `·`. Short items stay on one line, and no line begins
/// with a separator.
pub(super) fn wrap_items(line: &str, width: usize) -> Vec<String> {
    let items = line.split(ITEM_SEPARATOR).map(|item| {
        if display_width(item) <= MAX_UNBROKEN_ITEM {
            item.replace(' ', NO_BREAK_SPACE)
        } else {
            item.to_owned()
        }
    });
    let items: Vec<_> = items.collect();
    let separator = ITEM_SEPARATOR.replacen(' ', NO_BREAK_SPACE, 1);
    let lines = wrap(&items.join(&separator), width).into_iter();
    lines
        .map(|line| line.replace(NO_BREAK_SPACE, " "))
        .collect()
}

/// The parts of a word, each with the separator at its end.
fn parts<'a>(word: &Word<'a>) -> Vec<Word<'a>> {
    let mut parts = Vec::new();
    let mut rest = word.word;
    while let Some(end) = SEPARATORS
        .iter()
        .filter_map(|separator| Some(rest.find(separator)? + separator.len()))
        .min()
    {
        let (part, others) = rest.split_at(end);
        parts.push(Word::from(part));
        rest = others;
    }
    let mut last = Word::from(rest);
    last.whitespace = word.whitespace;
    parts.push(last);
    parts
}

/// The text of a line without the blanks at its end.
fn join(words: &[Word<'_>]) -> String {
    let text: String = words
        .iter()
        .flat_map(|word| [word.word, word.whitespace])
        .collect();
    text.trim_end_matches(' ').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_break_is_at_a_blank_or_after_a_separator() {
        for (line, expected) in [
            ("one two three", &["one two", "three"][..]),
            ("a pipe::an_id", &["a pipe::", "an_id"]),
            ("x a_long_identifier", &["x a_long_", "identifier"]),
            ("src/one/two.rs:12", &["src/one/", "two.rs:12"]),
            ("abcdefghijklm", &["abcdefghij", "klm"]),
            ("  indented", &["  indented"]),
            ("", &[""]),
        ] {
            assert_eq!(wrap(line, 10), expected, "{line}");
        }
    }

    #[test]
    fn a_short_item_stays_on_one_line() {
        let lines = wrap_items("2 passed · 1 not run · 1 failed", 15);
        assert_eq!(lines, ["2 passed ·", "1 not run ·", "1 failed"]);
        let lines = wrap_items("2 passed · 1 not run · 1 failed", 20);
        assert_eq!(lines, ["2 passed ·", "1 not run · 1 failed"]);
        let long = ["word"; 12].join(" ");
        assert!(wrap_items(&long, 16).iter().all(|line| line.len() <= 16));
    }

    proptest! {
        #[test]
        fn wrapping_loses_nothing_but_blanks_and_keeps_the_width(line in "[a-z_:/ ]{0,60}", width in 4..30_usize) {
            let wrapped = wrap(&line, width);
            let without_blanks = |text: &str| text.replace(' ', "");
            prop_assert_eq!(without_blanks(&wrapped.concat()), without_blanks(&line));
            prop_assert!(wrapped.iter().all(|it| it.trim_start().len() <= width), "{:?}", wrapped);
        }
    }
}
