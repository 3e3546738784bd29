//! The listener of a proxy, and what it does with faults and connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

use super::connection::{self, Connection};
use super::guard::FaultGuard;
use super::probe::{Prober, Probes};
use crate::faults::FaultError;
use crate::injected::{FaultSet, FaultStatus};
use crate::injection::Injection;
use crate::link::{Counters, Traffic};

/// The pause after a failed accept, e.g. when there are no file descriptors left.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// What a proxy shares with its connections.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) upstream: String,
    pub(super) faults: Arc<FaultSet>,
    pub(super) counters: Counters,
    accepted: AtomicU64,
    probes: Arc<Probes>,
}

/// A listener in front of one dependency. Dropping it closes every connection.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on an address; port 0 is any free port. The dependency, `host:port`, is contacted
    /// only when a client connects.
    pub async fn bind(listen: SocketAddr, upstream: impl Into<String>) -> io::Result<Self> {
        Self::start(TcpListener::bind(listen).await?, upstream)
    }

    /// Accepts and forwards the connections of a listener, on the current tokio runtime.
    pub fn start(listener: TcpListener, upstream: impl Into<String>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: upstream.into(),
            faults: Arc::new(FaultSet::new(Handle::current())),
            counters: Counters::default(),
            accepted: AtomicU64::new(0),
            probes: Arc::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The traffic so far.
    pub fn traffic(&self) -> Traffic {
        self.shared.counters.read()
    }

    /// Adds a fault, to open connections too. Dropping the guard heals it.
    pub fn inject(&self, fault: impl Into<Injection>) -> Result<FaultGuard, FaultError> {
        let injection = fault.into();
        injection.check()?;
        let accepted = self.shared.accepted.load(Ordering::Acquire);
        let injected = self.shared.faults.insert(injection, accepted);
        let prober = Prober::new(self.address, Arc::clone(&self.shared.probes));
        let faults = Arc::clone(&self.shared.faults);
        Ok(FaultGuard::new(faults, injected, prober))
    }

    /// The faults that are injected now.
    pub fn faults(&self) -> Vec<FaultStatus> {
        let faults = self.shared.faults.all();
        faults.iter().map(|fault| fault.status()).collect()
    }

    /// Closes the listener and every connection; afterwards the address is free.
    pub async fn close(mut self) {
        self.task.abort();
        // An aborted task ends with an error, which says only that.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts and forwards connections; dropping the future closes all of them.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        // Finished tasks are removed, so that memory does not grow during a long run.
        while connections.try_join_next().is_some() {}
        let Ok((client, peer)) = listener.accept().await else {
            tokio::time::sleep(RETRY_DELAY).await;
            continue;
        };
        let shared = Arc::clone(&shared);
        if let Some(result) = shared.probes.take(peer) {
            connections.spawn(async move {
                let forwarded = probed(client, &shared).await;
                // The prober has given up if nobody receives the result.
                let _ = result.send(forwarded);
            });
        } else {
            let number = shared.accepted.fetch_add(1, Ordering::AcqRel) + 1;
            shared.counters.connections.fetch_add(1, Ordering::Relaxed);
            connections.spawn(connection::serve(client, number, shared));
        }
    }
}

/// Treats a probe as a connection until it has reached the dependency. It is not traffic.
async fn probed(client: TcpStream, shared: &Shared) -> io::Result<()> {
    let admitted = connection::admit(&Connection::new(0), shared).await;
    admitted.map_err(|_| io::Error::from(io::ErrorKind::ConnectionReset))?;
    let server = connection::connect(&shared.upstream).await?;
    drop((client, server));
    Ok(())
}
