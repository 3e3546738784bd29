//! Free ports below the range that the kernel gives to outgoing connections.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Where ports are taken from: a port here stays ours while a process restarts.
const RANGE: Range<u16> = 20_000..32_000;

/// How often another port is tried before we say that there is none.
const TRIES: usize = 2_000;

/// Ports that a stack of this process holds, whether or not something listens there yet.
static HELD: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// No port was free.
#[derive(Debug, thiserror::Error)]
#[error("find a free port between {} and {} on 127.0.0.1", RANGE.start, RANGE.end)]
pub struct NoPort;

/// Ports that no other stack of this process is given until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Ports(Mutex<Vec<u16>>);

impl Ports {
    /// Takes a port on which nothing listens.
    ///
    /// Another process may still take it before ours listens there; whoever
    /// starts a process therefore starts again with other ports when it finds its own in use.
    pub(crate) fn take(&self) -> Result<u16, NoPort> {
        let port = (0..TRIES)
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

/// Whether a process said that its port is taken.
pub(crate) fn address_in_use(log: &str) -> bool {
    let log = log.to_ascii_lowercase();
    ["address already in use", "address in use", "eaddrinuse"]
        .iter()
        .any(|sign| log.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_until_it_is_given_back() {
        let ports = Ports::default();
        let taken: HashSet<u16> = (0..50).map(|_| ports.take().expect("a port")).collect();
        assert_eq!(taken.len(), 50);
        assert!(taken.iter().all(|port| RANGE.contains(port)));
        let one = *taken.iter().next().expect("a port");
        assert!(!hold(one), "a held port is not given again");
        drop(ports);
        let again = Ports(Mutex::new(vec![one]));
        assert!(hold(one), "a port that was given back is free");
        drop(again);
    }

    #[test]
    fn a_port_in_use_is_not_taken() {
        let ports = Ports::default();
        let port = ports.take().expect("a port");
        drop(ports);
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("bind");
        assert!(!hold(port));
    }

    #[test]
    fn every_way_to_say_in_use_is_understood() {
        assert!(address_in_use(
            "could not bind IPv4 address \"127.0.0.1\": Address already in use"
        ));
        assert!(address_in_use("Error: EADDRINUSE"));
        assert!(!address_in_use("connection refused"));
    }
}
