//! DNS resolution, TCP connect, and certificate expiry of an origin.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use reqwest::tls::TlsInfo;
use time::OffsetDateTime;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::{Host, Url};

use super::certificate::expiry;
use super::client::client_builder;

/// The timeout of each step.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A failed step.
#[derive(Debug, thiserror::Error)]
pub enum ConnectivityError {
    /// The host name has no address.
    #[error("resolve '{host}'")]
    Resolve {
        /// The host name.
        host: String,
        /// The cause.
        source: io::Error,
    },
    /// No address accepts a connection.
    #[error("connect to {address}")]
    Connect {
        /// The last address tried.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// The TLS handshake failed, or the request after it.
    #[error("complete the TLS handshake with {url}")]
    Handshake {
        /// The origin.
        url: Url,
        /// The cause.
        source: reqwest::Error,
    },
}

/// The distinct addresses of an origin's host name.
pub async fn resolve(url: &Url) -> Result<BTreeSet<SocketAddr>, ConnectivityError> {
    let port = url.port_or_known_default().unwrap_or_default();
    let host = match url.host() {
        Some(Host::Ipv4(address)) => return Ok([SocketAddr::new(IpAddr::V4(address), port)].into()),
        Some(Host::Ipv6(address)) => return Ok([SocketAddr::new(IpAddr::V6(address), port)].into()),
        Some(Host::Domain(name)) => name,
        None => "",
    };
    let found = match timeout(TIMEOUT, lookup_host((host, port))).await {
        Ok(found) => found.map(Iterator::collect::<BTreeSet<_>>),
        Err(elapsed) => Err(elapsed.into()),
    };
    match found {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err(unresolved(host, io::ErrorKind::NotFound.into())),
        Err(source) => Err(unresolved(host, source)),
    }
}

fn unresolved(host: &str, source: io::Error) -> ConnectivityError {
    let host = host.to_owned();
    ConnectivityError::Resolve { host, source }
}

/// Connects to the first address that accepts a connection, and measures the time.
pub async fn connect(
    addresses: &BTreeSet<SocketAddr>,
) -> Result<(SocketAddr, Duration), ConnectivityError> {
    let mut failed = None;
    for &address in addresses {
        let started = Instant::now();
        let source = match timeout(TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok((address, started.elapsed())),
            Ok(Err(source)) => source,
            Err(elapsed) => elapsed.into(),
        };
        failed = Some(ConnectivityError::Connect { address, source });
    }
    Err(failed.unwrap_or_else(|| unresolved("", io::ErrorKind::NotFound.into())))
}

/// Completes a TLS handshake with an `https` origin; the expiry time of its certificate, if it can be read.
pub async fn certificate_expiry(url: &Url) -> Result<Option<OffsetDateTime>, ConnectivityError> {
    let failed = |source: reqwest::Error| ConnectivityError::Handshake {
        url: url.clone(),
        source: source.without_url(),
    };
    let client = client_builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .tls_info(true)
        .build()
        .map_err(failed)?;
    let response = client.head(url.clone()).send().await.map_err(failed)?;
    let tls = response.extensions().get::<TlsInfo>();
    Ok(tls.and_then(TlsInfo::peer_certificate).and_then(expiry))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn each_step_returns_its_result_or_names_what_failed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url: Url = format!("http://localhost:{port}/").parse().unwrap();
        let addresses = resolve(&url).await.unwrap();
        let (address, _) = connect(&addresses).await.unwrap();
        assert_eq!(address.port(), port);
        drop(listener);
        let refused = connect(&addresses).await.unwrap_err().to_string();
        assert!(refused.starts_with("connect to "), "{refused}");
        let nowhere: Url = "https://nowhere.invalid/".parse().unwrap();
        let unresolved = resolve(&nowhere).await.unwrap_err().to_string();
        assert_eq!(unresolved, "resolve 'nowhere.invalid'");
    }
}
