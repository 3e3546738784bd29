//! Connections of our own through a proxy, which show that it forwards.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// How long a probe may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The probes that are on their way, by the address that they come from.
#[derive(Debug, Default)]
pub(super) struct Probes {
    expected: Mutex<HashMap<SocketAddr, oneshot::Sender<io::Result<()>>>>,
}

impl Probes {
    /// The sender of the result, if the connection from `peer` is a probe.
    pub(super) fn take(&self, peer: SocketAddr) -> Option<oneshot::Sender<io::Result<()>>> {
        let expected = self.expected.lock();
        expected
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&peer)
    }

    fn expect(&self, peer: SocketAddr) -> oneshot::Receiver<io::Result<()>> {
        let (sender, receiver) = oneshot::channel();
        let expected = self.expected.lock();
        let mut expected = expected.unwrap_or_else(PoisonError::into_inner);
        // Those whose receiver is gone have never arrived.
        expected.retain(|_, sender| !sender.is_closed());
        expected.insert(peer, sender);
        receiver
    }
}

/// Opens probes through a proxy.
#[derive(Clone, Debug)]
pub(super) struct Prober {
    address: SocketAddr,
    probes: Arc<Probes>,
}

impl Prober {
    pub(super) fn new(mut address: SocketAddr, probes: Arc<Probes>) -> Self {
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        Self { address, probes }
    }

    /// Opens a connection; succeeds if the proxy has connected it to the dependency.
    pub(super) async fn probe(&self, runtime: &Handle) -> io::Result<()> {
        let prober = self.clone();
        let probe = runtime.spawn(async move {
            let result = tokio::time::timeout(DEADLINE, prober.connect()).await;
            result.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        });
        probe
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    async fn connect(&self) -> io::Result<()> {
        let socket = match self.address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.bind(SocketAddr::new(self.address.ip(), 0))?;
        let forwarded = self.probes.expect(socket.local_addr()?);
        let stream = socket.connect(self.address).await?;
        let result = forwarded.await;
        drop(stream);
        // The sender is dropped if a fault has ended the probe.
        result.unwrap_or_else(|_| Err(io::ErrorKind::ConnectionReset.into()))
    }
}
