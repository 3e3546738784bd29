//! A message's body as evidence: readable text cut to a length, or the hash of what is not text.

use cutover_reports::record::BodyExcerpt;
use sha2::{Digest as _, Sha256};

use super::mask;
use cutover_evidence::secret::MASK;

/// The longest text that is kept of a body.
const LONGEST: usize = 16 * 1024;

/// A body as text, if it is one.
pub(super) fn as_text(content: &[u8]) -> Option<&str> {
    let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    let text = std::str::from_utf8(content).ok()?;
    text.chars().all(readable).then_some(text)
}

/// A body as it is kept; `None` when there is none.
pub(super) fn excerpt(content: &[u8]) -> Option<BodyExcerpt> {
    if content.is_empty() {
        return None;
    }
    let (text, truncated) = as_text(content).map_or_else(
        || (fingerprint(content), false),
        |text| {
            let cut = text.floor_char_boundary(LONGEST);
            (mask::tokens(&text[..cut], MASK), cut < text.len())
        },
    );
    Some(BodyExcerpt {
        bytes: content.len() as u64,
        text,
        truncated,
    })
}

/// A text that says how long it was, where it is cut.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let cut = text.floor_char_boundary(longest);
    format!("{}… ({} bytes)", &text[..cut], text.len())
}

fn fingerprint(content: &[u8]) -> String {
    let sha256 = hex::encode(Sha256::digest(content));
    format!("<binary, {} bytes, sha256 {sha256}>", content.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "é".repeat(LONGEST);
        let body = excerpt(text.as_bytes()).unwrap();
        assert!(body.truncated);
        assert_eq!(body.bytes, 2 * LONGEST as u64);
        assert_eq!(body.text.len(), LONGEST);
    }

    #[test]
    fn what_is_not_text_is_named_by_its_hash() {
        let body = excerpt(b"%PDF\0\xff").unwrap();
        assert!(body.text.starts_with("<binary, 6 bytes, sha256 "));
        assert!(!body.truncated);
    }
}
