//! The way to an origin: what its name means, who takes a connection, and whose certificate is shown.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use reqwest::tls::TlsInfo;
use time::OffsetDateTime;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::{Host, Url};

use super::certificate::valid_until;
use super::client::client_builder;

/// How long each step may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A step of the way that was not done.
#[derive(Debug, thiserror::Error)]
pub enum ConnectivityError {
    /// The name has no address.
    #[error("resolve '{host}'")]
    Name {
        /// The name.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// Nobody takes a connection.
    #[error("connect to {address}")]
    Connection {
        /// The address that was tried last.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The handshake failed, or what came after it.
    #[error("shake hands with {url}")]
    Handshake {
        /// The origin.
        url: Url,
        /// Why.
        source: reqwest::Error,
    },
}

/// The addresses that an origin's name means; none twice.
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
        Err(late) => Err(late.into()),
    };
    match found {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err(unnamed(host, io::ErrorKind::NotFound.into())),
        Err(source) => Err(unnamed(host, source)),
    }
}

fn unnamed(host: &str, source: io::Error) -> ConnectivityError {
    let host = host.to_owned();
    ConnectivityError::Name { host, source }
}

/// The first of the addresses that takes a connection, and after how long.
pub async fn connect(
    addresses: &BTreeSet<SocketAddr>,
) -> Result<(SocketAddr, Duration), ConnectivityError> {
    let mut failed = None;
    for &address in addresses {
        let since = Instant::now();
        let source = match timeout(TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok((address, since.elapsed())),
            Ok(Err(source)) => source,
            Err(late) => late.into(),
        };
        failed = Some(ConnectivityError::Connection { address, source });
    }
    Err(failed.unwrap_or_else(|| unnamed("", io::ErrorKind::NotFound.into())))
}

/// Shakes hands with an `https` origin; until when the certificate that it shows is valid, if that can be read.
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
    let answer = client.head(url.clone()).send().await.map_err(failed)?;
    let shown = answer.extensions().get::<TlsInfo>();
    Ok(shown
        .and_then(TlsInfo::peer_certificate)
        .and_then(valid_until))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn each_step_says_what_it_found_or_where_it_ended() {
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
        let unnamed = resolve(&nowhere).await.unwrap_err().to_string();
        assert_eq!(unnamed, "resolve 'nowhere.invalid'");
    }
}
