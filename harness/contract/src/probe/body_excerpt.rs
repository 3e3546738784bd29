//! Message bodies as evidence: text up to a length, or the hash of binary content.

use cutover_reports::record::BodyExcerpt;
use sha2::{Digest as _, Sha256};

use super::mask;
use cutover_evidence::secret::MASK;

/// The longest text of a body that is kept, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// The body as text; `None` if it is binary.
pub(super) fn as_text(content: &[u8]) -> Option<&str> {
    let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    let text = std::str::from_utf8(content).ok()?;
    text.chars().all(readable).then_some(text)
}

/// The part of a body that is kept; `None` if the body is empty.
pub(super) fn excerpt(content: &[u8]) -> Option<BodyExcerpt> {
    if content.is_empty() {
        return None;
    }
    let (text, truncated) = as_text(content).map_or_else(
        || (fingerprint(content), false),
        |text| {
            let cut = text.floor_char_boundary(MAX_TEXT);
            (mask::tokens(&text[..cut], MASK), cut < text.len())
        },
    );
    Some(BodyExcerpt {
        bytes: content.len() as u64,
        text,
        truncated,
    })
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
        let text = "é".repeat(MAX_TEXT);
        let body = excerpt(text.as_bytes()).unwrap();
        assert!(body.truncated);
        assert_eq!(body.bytes, 2 * MAX_TEXT as u64);
        assert_eq!(body.text.len(), MAX_TEXT);
    }

    #[test]
    fn binary_content_is_recorded_as_its_hash() {
        let body = excerpt(b"%PDF\0\xff").unwrap();
        assert!(body.text.starts_with("<binary, 6 bytes, sha256 "));
        assert!(!body.truncated);
    }
}
