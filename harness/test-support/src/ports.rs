//! TCP ports that a test announces now and binds later.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;

/// Below the ports of local stacks (20000 to 31999) and below those of outgoing connections.
const RANGE: Range<u16> = 12_000..20_000;

/// Attempts to find a port that is free.
const MAX_ATTEMPTS: usize = 2_000;

/// A TCP port of 127.0.0.1 that no other test gets until this is dropped.
///
/// The UDP port of the same number is the lock: it works across processes, and the kernel releases
/// it when a process dies.
#[derive(Debug)]
pub struct ReservedPort {
    port: u16,
    _lock: UdpSocket,
}

impl ReservedPort {
    /// Reserves a port on which nothing listens.
    pub fn reserve() -> Self {
        let mut attempts = (0..MAX_ATTEMPTS).map(|_| rand::random_range(RANGE));
        attempts.find_map(Self::try_reserve).unwrap()
    }

    fn try_reserve(port: u16) -> Option<Self> {
        let lock = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some(Self { port, _lock: lock })
    }

    /// The number of the port.
    pub fn number(&self) -> u16 {
        self.port
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_port_is_reserved_once() {
        let ports: Vec<_> = (0..50).map(|_| ReservedPort::reserve()).collect();
        let numbers: HashSet<_> = ports.iter().map(ReservedPort::number).collect();
        assert_eq!(numbers.len(), 50);
        assert!(numbers.iter().all(|port| RANGE.contains(port)));
        assert!(ReservedPort::try_reserve(ports[0].number()).is_none());
    }

    #[test]
    fn a_port_in_use_is_not_reserved() {
        let port = ReservedPort::reserve().number();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(ReservedPort::try_reserve(port).is_none());
    }
}
