//! Masks credentials in headers, and the tokens of signed URLs in any text.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::shorten::shortened;
use cutover_evidence::secret::MASK;

/// Request and response headers that contain credentials.
const CREDENTIALS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "apikey",
    "cookie",
    "set-cookie",
    "x-webhook-signature",
    "x-callback-token",
];

/// Query parameters that contain credentials.
const TOKENS: [&str; 3] = ["token=", "apikey=", "access_token="];

/// The longest header value that is kept, in bytes.
const MAX_VALUE: usize = 4 * 1024;

/// Whether a header's value must be masked.
pub(super) fn is_credential(name: &HeaderName, value: &HeaderValue) -> bool {
    value.is_sensitive() || CREDENTIALS.contains(&name.as_str())
}

/// A header's value as text, with replacement characters for invalid UTF-8.
pub(super) fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// All headers as pairs of name and value, with masked credentials.
pub(super) fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = if is_credential(name, value) {
            masked_credential(&text(value))
        } else {
            shortened(&text(value), MAX_VALUE)
        };
        (name.to_string(), value)
    };
    headers.iter().map(shown).collect()
}

/// A masked credential with a readable scheme: `Bearer [masked]`.
fn masked_credential(value: &str) -> String {
    match value.split_once(' ') {
        Some((scheme @ ("Bearer" | "Basic"), _)) => format!("{scheme} {MASK}"),
        _ => MASK.to_owned(),
    }
}

/// Replaces the token of every signed URL in a text.
pub(super) fn tokens(text: &str, replacement: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = next_token(rest) {
        let (before, token) = rest.split_at(start);
        shown.push_str(before);
        shown.push_str(replacement);
        let end = token.find(ends_token).unwrap_or(token.len());
        rest = &token[end..];
    }
    shown.push_str(rest);
    shown
}

fn ends_token(c: char) -> bool {
    matches!(c, '&' | '#' | '"' | '\'' | '\\' | '<' | '>') || c.is_whitespace()
}

/// The start of the first token parameter's value.
fn next_token(text: &str) -> Option<usize> {
    let value_of = |name: &str| {
        text.match_indices(name)
            .filter(|&(at, _)| opens_parameter(&text[..at]))
            .map(|(at, name)| at + name.len())
            .find(|&at| !text[at..].is_empty() && !text[at..].starts_with(ends_token))
    };
    TOKENS.into_iter().filter_map(value_of).min()
}

/// Whether a parameter name may follow this text; JSON may encode `&` as `\u0026`.
fn opens_parameter(before: &str) -> bool {
    before.ends_with(['?', '&']) || before.ends_with("\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_signed_urls_are_masked_anywhere_in_a_text() {
        let body =
            r#"{"signed_url":"http://s/o?a=1&token=abc.def","token=":"kept","t":"?token=x y"}"#;
        let shown = tokens(body, MASK);
        assert_eq!(
            shown,
            r#"{"signed_url":"http://s/o?a=1&token=[masked]","token=":"kept","t":"?token=[masked] y"}"#
        );
    }

    #[test]
    fn an_empty_token_is_kept_and_an_escaped_ampersand_is_recognized() {
        assert_eq!(tokens("?token=&token=z", "X"), "?token=&token=X");
        assert_eq!(tokens("?a\\u0026token=z", "X"), "?a\\u0026token=X");
        assert_eq!(tokens("ends with ?token=", "X"), "ends with ?token=");
    }

    #[test]
    fn credentials_are_masked_except_for_their_scheme() {
        let mut map = HeaderMap::new();
        map.insert("authorization", HeaderValue::from_static("Bearer abc"));
        map.insert("set-cookie", HeaderValue::from_static("id=abc"));
        map.insert("accept", HeaderValue::from_static("text/html"));
        let shown = headers(&map);
        assert!(shown.contains(&("authorization".into(), format!("Bearer {MASK}"))));
        assert!(shown.contains(&("set-cookie".into(), MASK.into())));
        assert!(shown.contains(&("accept".into(), "text/html".into())));
    }
}
