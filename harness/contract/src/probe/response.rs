//! A complete HTTP response, before a check judges it.

use std::time::Duration;

use http::HeaderMap;

/// A complete HTTP response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The surface that responded.
    pub surface: String,
    /// Method and URL of the request, with masked tokens.
    pub request: String,
    /// The correlation id of the request.
    pub correlation_id: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// The time from the first byte sent to the last byte received.
    pub elapsed: Duration,
}

impl Response {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header with this name, if its value is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text, with replacement characters for invalid UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status and the beginning of the body, as in `409 {"error":…}`.
    pub fn summary(&self) -> String {
        const LONGEST: usize = 300;
        // More than is shown, so that a token at the cut is masked completely.
        const MASKED_PREFIX: usize = 16 * 1024;
        let beginning = &self.body[..self.body.len().min(MASKED_PREFIX)];
        let text = String::from_utf8_lossy(beginning);
        let text = super::mask::tokens(&text, cutover_evidence::secret::MASK);
        let cut = text.floor_char_boundary(LONGEST);
        let rest = if cut < text.len() { "…" } else { "" };
        format!("{} {}{rest}", self.status, &text[..cut])
            .trim_end()
            .to_owned()
    }
}
