//! What came back on a request, whole and unjudged.

use std::time::Duration;

use http::HeaderMap;

/// What came back on a request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The surface that was asked.
    pub surface: String,
    /// Method and address of the request, tokens masked.
    pub request: String,
    /// The id that the request was sent with.
    pub correlation_id: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// From the first byte sent to the last received.
    pub elapsed: Duration,
}

impl Reply {
    /// Whether the status is in the two hundreds.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text; bytes that are not text become replacement characters.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Status and the beginning of the body, for a sentence: `409 {"error":…}`.
    pub fn summary(&self) -> String {
        const LONGEST: usize = 300;
        // Far more than is shown, so that a token is masked whole; far less than there may be.
        const LOOKED_AT: usize = 16 * 1024;
        let beginning = &self.body[..self.body.len().min(LOOKED_AT)];
        let text = String::from_utf8_lossy(beginning);
        let text = super::mask::tokens(&text, cutover_evidence::secret::MASK);
        let cut = text.floor_char_boundary(LONGEST);
        let rest = if cut < text.len() { "…" } else { "" };
        format!("{} {}{rest}", self.status, &text[..cut])
            .trim_end()
            .to_owned()
    }
}
