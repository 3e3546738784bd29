//! The request that a load sends again and again.

use std::net::{SocketAddr, ToSocketAddrs as _};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Uri};

/// A request that cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The address is not a URL of HTTP.
    #[error("use the address '{0}'; it must be http://host[:port]/path, without TLS")]
    Url(String),
    /// The method is not a word.
    #[error("use the method '{0}'")]
    Method(String),
    /// A header has no colon, or characters that are not allowed.
    #[error("use the header '{0}'; it must be 'Name: value'")]
    Header(String),
    /// The name of the host has no address.
    #[error("find the address of '{host}'")]
    Resolve {
        /// The host and port.
        host: String,
        /// Why.
        source: std::io::Error,
    },
    /// The name of the host is known, without an address.
    #[error("find the address of '{0}': it has none")]
    NoAddress(String),
}

/// A request, and the address that it is sent to.
#[derive(Clone, Debug)]
pub struct Request {
    address: SocketAddr,
    method: Method,
    path: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    /// A GET request to a URL, whose host is looked up once.
    pub fn get(url: &str) -> Result<Self, RequestError> {
        let bad = || RequestError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let authority = uri.authority().ok_or_else(bad)?;
        if uri.scheme_str() != Some("http") || authority.as_str().contains('@') {
            return Err(bad());
        }
        let host = format!(
            "{}:{}",
            authority.host(),
            authority.port_u16().unwrap_or(80)
        );
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = HeaderMap::new();
        let name = HeaderValue::from_str(authority.as_str()).map_err(|_| bad())?;
        headers.insert(HOST, name);
        Ok(Self {
            address: resolve(host)?,
            method: Method::GET,
            path: path.parse().map_err(|_| bad())?,
            headers,
            body: Bytes::new(),
        })
    }

    /// Uses another method.
    pub fn method(mut self, method: &str) -> Result<Self, RequestError> {
        let parsed = method.parse();
        self.method = parsed.map_err(|_| RequestError::Method(method.to_owned()))?;
        Ok(self)
    }

    /// Adds a header, given as `Name: value`; it replaces one of the same name.
    pub fn header(mut self, line: &str) -> Result<Self, RequestError> {
        let bad = || RequestError::Header(line.to_owned());
        let (name, value) = line.split_once(':').ok_or_else(bad)?;
        let name: HeaderName = name.trim().parse().map_err(|_| bad())?;
        let value = value.trim().parse().map_err(|_| bad())?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sends a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Where it is sent to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The request as it is sent.
    pub(crate) fn message(&self) -> Message {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                bytes.extend_from_slice(part);
            }
        };
        for (name, value) in &self.headers {
            // The body determines its length.
            if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
                line(name.as_str(), value.as_bytes());
            }
        }
        let has_body = matches!(self.method, Method::POST | Method::PUT | Method::PATCH);
        if has_body || !self.body.is_empty() {
            line("content-length", self.body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        Message {
            address: self.address,
            bytes,
            is_head: self.method == Method::HEAD,
        }
    }
}

/// The bytes of a request, and where they are sent to.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) address: SocketAddr,
    pub(crate) bytes: Vec<u8>,
    /// Whether its response has no body.
    pub(crate) is_head: bool,
}

/// An address of a host; IPv4 first, since servers on a loopback name often have only that.
fn resolve(host: String) -> Result<SocketAddr, RequestError> {
    let found = host.to_socket_addrs();
    let mut all: Vec<_> = match found {
        Ok(found) => found.collect(),
        Err(source) => return Err(RequestError::Resolve { host, source }),
    };
    all.sort_by_key(SocketAddr::is_ipv6);
    let first = all.first().copied();
    first.ok_or(RequestError::NoAddress(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_path_the_host_and_the_headers() {
        let request = Request::get("http://127.0.0.1:81/a?b=c").unwrap();
        let request = request.header("X-A: 1").unwrap().method("PUT").unwrap();
        let message = request.body("text").message();
        let text =
            "PUT /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:81\r\nx-a: 1\r\ncontent-length: 4\r\n\r\ntext";
        assert_eq!(String::from_utf8(message.bytes).unwrap(), text);
        assert!(!message.is_head);
    }

    #[test]
    fn only_a_request_without_a_body_has_no_length() {
        let text = |method: &str| {
            let request = Request::get("http://127.0.0.1:81").unwrap();
            let message = request.method(method).unwrap().message();
            (String::from_utf8(message.bytes).unwrap(), message.is_head)
        };
        let head = "HEAD / HTTP/1.1\r\nhost: 127.0.0.1:81\r\n\r\n";
        assert_eq!(text("HEAD"), (head.to_owned(), true));
        assert!(text("POST").0.contains("content-length: 0\r\n"));
    }

    #[test]
    fn bad_input_is_an_error() {
        for url in [
            "",
            "127.0.0.1",
            "https://127.0.0.1/",
            "http://u:p@127.0.0.1/",
            "/a",
        ] {
            assert!(Request::get(url).is_err(), "{url}");
        }
        let request = || Request::get("http://127.0.0.1").unwrap();
        assert!(request().header("no colon").is_err());
        assert!(request().header("a: \u{1}").is_err());
        assert!(request().method("A B").is_err());
    }
}
