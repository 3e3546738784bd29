//! An HTTP request before it is sent, with its response timeout.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use cutover_evidence::secret::Secret;

/// The default response timeout of a request.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// An HTTP request before it is sent.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(super) deadline: Duration,
    /// A header with an invalid name or value, reported when the request is sent.
    pub(super) unsendable: Option<String>,
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Vec::new(),
            deadline: DEADLINE,
            unsendable: None,
        }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The headers. Those of a secret are marked as sensitive.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The same request to another URL.
    #[must_use]
    pub fn to(self, url: Url) -> Self {
        Self { url, ..self }
    }

    /// A `GET`.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A `POST`.
    pub fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    /// A `PUT`.
    pub fn put(url: Url) -> Self {
        Self::new(Method::PUT, url)
    }

    /// Adds a header; existing headers with the same name are kept.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.insert(name, value.as_ref(), false);
        self
    }

    /// Adds a header with a value that is masked in the evidence.
    #[must_use]
    pub fn secret_header(mut self, name: &str, value: &Secret) -> Self {
        self.insert(name, value.expose().as_bytes(), true);
        self
    }

    /// Adds `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(mut self, token: &Secret) -> Self {
        let value = format!("Bearer {}", token.expose());
        self.insert(header::AUTHORIZATION.as_str(), value.as_bytes(), true);
        self
    }

    /// Appends query parameters to those of the URL.
    #[must_use]
    pub fn query<K: AsRef<str>, V: AsRef<str>>(
        mut self,
        parameters: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let mut parameters = parameters.into_iter().peekable();
        if parameters.peek().is_some() {
            self.url.query_pairs_mut().extend_pairs(parameters);
        }
        self
    }

    /// Sends a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Sends a body of this type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE.as_str(), content_type)
    }

    /// Sets the timeout for the complete response.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Method and URL, with masked tokens.
    pub(super) fn line(&self) -> String {
        let url = super::mask::tokens(self.url.as_str(), cutover_evidence::secret::MASK);
        format!("{} {url}", self.method)
    }

    /// Adds a correlation id and a trace context if the request has none; returns the id.
    pub(super) fn correlate(&mut self) -> String {
        if let Some(id) = self.headers.get("x-request-id") {
            return super::mask::text(id).into_owned();
        }
        let id = Uuid::new_v4().to_string();
        self.insert("x-request-id", id.as_bytes(), false);
        if !self.headers.contains_key("traceparent") {
            let (trace, span) = (Uuid::new_v4().simple(), rand::random::<u64>().max(1));
            self.insert(
                "traceparent",
                format!("00-{trace}-{span:016x}-01").as_bytes(),
                false,
            );
        }
        id
    }

    fn insert(&mut self, name: &str, value: &[u8], secret: bool) {
        let name_and_value = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value),
        );
        let (Ok(header), Ok(mut value)) = name_and_value else {
            self.unsendable = Some(name.to_owned());
            return;
        };
        value.set_sensitive(secret);
        self.headers.append(header, value);
    }
}
