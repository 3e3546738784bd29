//! Compares the chunks of a document with its text, by the rules of its chunker.

use std::collections::BTreeSet;

use super::contract::Chunker;

/// The number of characters of a difference that are shown.
const SHOWN: usize = 40;

impl Chunker {
    /// The first difference between the chunks of a document, in order, and its text.
    ///
    /// Every character of the text except whitespace is in the chunks, in order, and nothing else is.
    /// A chunk may repeat at most `overlap_chars` characters from before its start.
    pub fn difference<T: AsRef<str>>(&self, text: &str, chunks: &[T]) -> Option<String> {
        let text = significant(text);
        // The places of the text up to which the chunks so far may reach.
        let mut reached = BTreeSet::from([0]);
        for (number, chunk) in chunks.iter().enumerate() {
            let chunk = significant(chunk.as_ref());
            let next = self.reached_by(&text, &chunk, &reached);
            if next.is_empty() {
                let at = reached.last().copied().unwrap_or_default();
                return Some(format!(
                    "after {at} characters, ignoring whitespace, the text continues with '{}' and chunk {number} with '{}'",
                    excerpt(&text, at),
                    excerpt(&chunk, common(&text[at..], &chunk)),
                ));
            }
            reached = next;
        }
        let end = reached.last().copied().unwrap_or_default();
        (end != text.len()).then(|| {
            format!(
                "the chunks end after {end} of {} characters, ignoring whitespace; the text continues with '{}'",
                text.len(),
                excerpt(&text, end)
            )
        })
    }

    /// The difference between the chunks and the text, also in how words are separated where no
    /// whitespace is lost between chunks.
    pub fn difference_in_words<T: AsRef<str>>(&self, text: &str, chunks: &[T]) -> Option<String> {
        let difference = self.difference(text, chunks);
        if difference.is_some() || self.strip || self.overlap_chars > 0 {
            return difference;
        }
        let chunks: Vec<_> = chunks.iter().map(AsRef::as_ref).collect();
        let joined = chunks.join(&self.joiner);
        let mut pairs = text.split_whitespace().zip(joined.split_whitespace());
        pairs
            .find(|(expected, found)| expected != found)
            .map(|(expected, found)| {
                format!("the text has the word '{expected}' where the chunks have '{found}'")
            })
    }

    /// The places up to which a chunk may reach that starts at one of these places, or before it.
    fn reached_by(
        &self,
        text: &[char],
        chunk: &[char],
        reached: &BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        let starts = reached
            .iter()
            .flat_map(|place| place.saturating_sub(self.overlap_chars)..=*place);
        let starts: BTreeSet<_> = starts.collect();
        let follows = |start: &usize| text[*start..].starts_with(chunk);
        let ends = starts.into_iter().filter(follows);
        let before = reached.first().copied().unwrap_or_default();
        // A chunk that ends before the last one is only a repetition.
        ends.map(|start| start + chunk.len())
            .filter(|end| *end >= before)
            .collect()
    }
}

/// The characters of a text except whitespace.
fn significant(text: &str) -> Vec<char> {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The number of characters with which both texts begin.
fn common(a: &[char], b: &[char]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

fn excerpt(text: &[char], from: usize) -> String {
    text.iter().skip(from).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;

    const TEXT: &str = "# One\n\nfirst line\nfirst line\n\n# Two\n\nsecond line\n";

    fn chunker(change: impl Fn(&mut Chunker)) -> Chunker {
        let mut chunker = Contract::fixture().chunker;
        change(&mut chunker);
        chunker
    }

    #[test]
    fn chunks_contain_every_character_in_order() {
        let plain = chunker(|_| {});
        let chunks = [
            "# One\n\nfirst line\nfirst line\n\n",
            "# Two\n\nsecond line\n",
        ];
        assert_eq!(plain.difference_in_words(TEXT, &chunks), None);
        let lost = plain.difference(TEXT, &chunks[..1]).unwrap();
        assert!(lost.contains("'#Twosecondline'"), "{lost}");
        for wrong in [
            [chunks[1], chunks[0]].as_slice(),
            &[chunks[0], chunks[0], chunks[1]],
            &[chunks[0], "# Two\n\nsecond"],
            &[chunks[0], chunks[1], "more"],
            &[],
        ] {
            assert!(plain.difference(TEXT, wrong).is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn whitespace_between_stripped_chunks_is_ignored() {
        let chunks = ["# One\n\nfirst line\nfirst line", "# Two\n\nsecond line"];
        let stripping = chunker(|chunker| chunker.strip = true);
        assert_eq!(stripping.difference_in_words(TEXT, &chunks), None);
        let joined = chunker(|chunker| "\n\n".clone_into(&mut chunker.joiner));
        assert_eq!(joined.difference_in_words(TEXT, &chunks), None);
        let plain = chunker(|_| {});
        let merged = plain.difference_in_words(TEXT, &chunks).unwrap();
        assert!(merged.contains("'line#'"), "{merged}");
    }

    #[test]
    fn an_overlap_is_bounded() {
        let chunks = [
            "# One\n\nfirst line\nfirst line",
            "first line\n\n# Two",
            "# Two\n\nsecond line",
        ];
        let overlapping = |chars| chunker(move |chunker| chunker.overlap_chars = chars);
        assert_eq!(overlapping(9).difference(TEXT, &chunks), None);
        assert!(overlapping(8).difference(TEXT, &chunks).is_some());
        assert!(overlapping(0).difference(TEXT, &chunks).is_some());
        // Equal passages must not hide that one of them is missing.
        let lost = ["# One\n\nfirst line", "# Two\n\nsecond line"];
        assert!(overlapping(9).difference(TEXT, &lost).is_some());
    }
}
