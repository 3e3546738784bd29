//! Addresses of this machine.

use std::net::{Ipv4Addr, SocketAddr};

use url::Url;

/// An address of this machine.
pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// The origin of an address.
pub(crate) fn origin(address: SocketAddr) -> Result<Url, url::ParseError> {
    Url::parse(&format!("http://{address}/"))
}
