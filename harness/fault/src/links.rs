//! The links of a target, open from before its preflight until after its last trial.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::link::{LinkName, LinkSettings, Traffic};
use crate::proxy::Proxy;

/// Links that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The runtime of the links could not be started.
    #[error("start the links")]
    Runtime(#[source] io::Error),
    /// The listen address could not be bound.
    #[error(
        "listen on {address} for link '{name}'; correct [links.{name}] listen in the target file"
    )]
    Listen {
        /// The link.
        name: LinkName,
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
}

/// The links of a target; dropping them closes every connection.
#[derive(Debug)]
pub struct Links {
    proxies: BTreeMap<LinkName, Proxy>,
    /// A runtime of their own: they must forward while no other runtime is polled.
    runtime: Option<Runtime>,
}

impl Links {
    /// Binds the listen address of every link; the dependencies are contacted only when a client connects.
    pub fn open(links: &BTreeMap<LinkName, LinkSettings>) -> Result<Self, LinkError> {
        let mut opened = Self {
            proxies: BTreeMap::new(),
            runtime: None,
        };
        if links.is_empty() {
            return Ok(opened);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("links")
            .enable_all()
            .build()
            .map_err(LinkError::Runtime)?;
        // Tasks of the proxies are spawned on that runtime, whatever runtime the caller is on.
        let entered = runtime.enter();
        for (name, link) in links {
            let (name, address) = (*name, link.listen);
            let proxy = listen(address).and_then(|it| Proxy::start(it, link.upstream.as_str()));
            let proxy = proxy.map_err(|source| LinkError::Listen {
                name,
                address,
                source,
            })?;
            opened.proxies.insert(name, proxy);
        }
        drop(entered);
        opened.runtime = Some(runtime);
        Ok(opened)
    }

    /// Whether there are no links.
    pub fn is_empty(&self) -> bool {
        self.proxies.is_empty()
    }

    /// The traffic of each link so far.
    pub fn traffic(&self) -> impl Iterator<Item = (LinkName, Traffic)> {
        let proxies = self.proxies.iter();
        proxies.map(|(name, proxy)| (*name, proxy.traffic()))
    }

    /// The proxy of a link, into which faults are injected. A part of the system without a link of its
    /// own uses the link of every part to the same dependency.
    pub fn proxy(&self, name: LinkName) -> Option<&Proxy> {
        self.proxies.get(&self.resolve(name)?)
    }

    /// The link itself, or the one of every part to the same dependency, whichever there is.
    pub fn resolve(&self, name: LinkName) -> Option<LinkName> {
        let candidates = [Some(name), name.of_every_part()].into_iter().flatten();
        let mut given = candidates.filter(|name| self.proxies.contains_key(name));
        given.next()
    }
}

/// A listener at an address, for the current runtime.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

impl Drop for Links {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The drop may happen in a task of another runtime, which must not block.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::thread;

    use super::{BTreeMap, LinkName, LinkSettings, Links, SocketAddr, Traffic};

    fn free() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    }

    fn link(listen: SocketAddr, upstream: SocketAddr) -> Links {
        let settings = LinkSettings {
            listen,
            upstream: upstream.to_string(),
        };
        Links::open(&BTreeMap::from([(LinkName::Database, settings)])).unwrap()
    }

    /// Sends everything that one connection sends back to it, after the end of its input.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut input = Vec::new();
            stream.read_to_end(&mut input).unwrap();
            stream.write_all(&input).unwrap();
        });
        address
    }

    #[test]
    fn all_bytes_are_forwarded_and_counted_in_both_directions() {
        let listen = free();
        let links = link(listen, echo());
        let sent: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
        let mut stream = TcpStream::connect(listen).unwrap();
        let writing = {
            let (mut stream, sent) = (stream.try_clone().unwrap(), sent.clone());
            thread::spawn(move || {
                stream.write_all(&sent).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
            })
        };
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        writing.join().unwrap();
        assert_eq!(received, sent);
        let expected = Traffic {
            connections: 1,
            refused: 0,
            sent: 1_000_000,
            received: 1_000_000,
        };
        let traffic: Vec<_> = links.traffic().collect();
        assert_eq!(traffic, [(LinkName::Database, expected)]);
    }

    #[test]
    fn a_connection_to_an_unreachable_dependency_is_closed_and_counted() {
        let listen = free();
        let links = link(listen, free());
        let mut stream = TcpStream::connect(listen).unwrap();
        // The connection may end in any way, but it must end.
        let _ = stream.read(&mut [0; 1]);
        let (_, traffic) = links.traffic().next().unwrap();
        assert_eq!((traffic.connections, traffic.refused), (1, 1));
        drop(links);
    }

    #[test]
    fn an_error_about_an_address_in_use_names_the_key_of_the_target_file() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = LinkSettings {
            listen: taken.local_addr().unwrap(),
            upstream: "127.0.0.1:1".to_owned(),
        };
        let error = Links::open(&BTreeMap::from([(LinkName::Parser, settings)])).unwrap_err();
        assert!(
            error.to_string().contains("[links.parser] listen"),
            "{error}"
        );
    }
}
