//! Loopback addresses and their URLs.

use std::net::{Ipv4Addr, SocketAddr};

use url::Url;

/// The loopback address with a port.
pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// The HTTP origin of an address.
pub(crate) fn origin(address: SocketAddr) -> Result<Url, url::ParseError> {
    Url::parse(&format!("http://{address}/"))
}
