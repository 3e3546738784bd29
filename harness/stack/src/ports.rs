//! Allocates free ports below the range that the kernel uses for outgoing connections.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The range of the ports: no outgoing connection takes one of them while a service restarts.
const RANGE: Range<u16> = 20_000..32_000;

/// How many ports are tried before the allocation fails.
const MAX_ATTEMPTS: usize = 2_000;

/// The ports that are allocated to stacks of this process, whether or not a service listens on them yet.
static HELD: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// No port was free.
#[derive(Debug, thiserror::Error)]
#[error("find a free port between {} and {} on 127.0.0.1", RANGE.start, RANGE.end)]
pub struct NoPort;

/// The ports of one stack; no other stack of this process gets them until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Ports(Mutex<Vec<u16>>);

impl Ports {
    /// Allocates a port on which no process listens.
    ///
    /// Another process may still bind it before our service does. The start of a
    /// stack therefore retries with other ports after a port conflict.
    pub(crate) fn take(&self) -> Result<u16, NoPort> {
        let port = (0..MAX_ATTEMPTS)
            .map(|_| rand::random_range(RANGE))
            .find(|port| hold(*port))
            .ok_or(NoPort)?;
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(port);
        Ok(port)
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.get_or_insert_default();
        for port in self
            .0
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            held.remove(&port);
        }
    }
}

fn hold(port: u16) -> bool {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let held = held.get_or_insert_default();
    !held.contains(&port)
        && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        && held.insert(port)
}

/// Whether a log reports that a port is already in use.
pub(crate) fn address_in_use(log: &str) -> bool {
    let log = log.to_ascii_lowercase();
    ["address already in use", "address in use", "eaddrinuse"]
        .iter()
        .any(|phrase| log.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_allocated_once_until_it_is_released() {
        let ports = Ports::default();
        let taken: HashSet<u16> = (0..50).map(|_| ports.take().expect("a port")).collect();
        assert_eq!(taken.len(), 50);
        assert!(taken.iter().all(|port| RANGE.contains(port)));
        let one = *taken.iter().next().expect("a port");
        assert!(!hold(one), "a held port is not allocated again");
        drop(ports);
        let again = Ports(Mutex::new(vec![one]));
        assert!(hold(one), "a released port is free");
        drop(again);
    }

    #[test]
    fn a_port_in_use_is_not_allocated() {
        let ports = Ports::default();
        let port = ports.take().expect("a port");
        drop(ports);
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("bind");
        assert!(!hold(port));
    }

    #[test]
    fn the_usual_messages_of_a_port_conflict_are_recognised() {
        assert!(address_in_use(
            "could not bind IPv4 address \"127.0.0.1\": Address already in use"
        ));
        assert!(address_in_use("Error: EADDRINUSE"));
        assert!(!address_in_use("connection refused"));
    }
}
