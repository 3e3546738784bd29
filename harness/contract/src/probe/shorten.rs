//! Shortens long texts in the evidence.

/// A text of limited length; a cut text ends with its full length.
pub(super) fn shortened(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let cut = text.floor_char_boundary(max);
    format!("{}… ({} bytes)", &text[..cut], text.len())
}
