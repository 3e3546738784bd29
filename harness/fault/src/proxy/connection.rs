//! One connection through a proxy, from its acceptance to its end on both sides.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;

use super::pump::Pump;
use super::server::Shared;
use crate::faults::{Admission, Direction};
use crate::injected::Injected;
use crate::stream::{Answers, Cut};

/// What both directions of a connection share.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// Its number on the link; the first is 1.
    pub(super) number: u64,
    pub(super) answers: Answers,
    carried: AtomicU64,
    /// Whether the last bytes came from the client.
    client_spoke: AtomicBool,
    touched_by: Mutex<BTreeSet<u64>>,
}

impl Connection {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// The bytes that it has carried, both directions together.
    pub(super) fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }

    /// Counts bytes that arrived; returns the bytes before them.
    pub(super) fn carry(&self, bytes: usize) -> u64 {
        self.carried.fetch_add(bytes as u64, Ordering::Relaxed)
    }

    /// Notes who has sent; returns whether a request begins.
    pub(super) fn begins_request(&self, direction: Direction) -> bool {
        let client = direction == Direction::ToUpstream;
        let before = self.client_spoke.swap(client, Ordering::Relaxed);
        client && !before
    }

    /// Counts it, once, as touched by a fault.
    pub(super) fn touch(&self, injected: &Injected) {
        let touched = self.touched_by.lock();
        let mut touched = touched.unwrap_or_else(PoisonError::into_inner);
        if touched.insert(injected.id) {
            injected.touch_connection();
        }
    }
}

/// Serves a connection until it has ended.
pub(super) async fn serve(client: TcpStream, number: u64, shared: Arc<Shared>) {
    let connection = Connection::new(number);
    if let Err(how) = admit(&connection, &shared).await {
        return end(how, &[&client]);
    }
    let Ok(server) = connect(&shared.upstream).await else {
        shared.counters.refused.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let (mut client, mut server) = (client, server);
    if client.set_nodelay(true).is_err() {
        return;
    }
    if let Err(how) = forward(&mut client, &mut server, &connection, &shared).await {
        end(how, &[&client, &server]);
    }
}

/// Waits until no fault prevents that the dependency is contacted.
pub(super) async fn admit(connection: &Connection, shared: &Shared) -> Result<(), Cut> {
    let mut changes = shared.faults.subscribe();
    loop {
        let faults = changes.borrow_and_update().clone();
        let acting = faults
            .iter()
            .filter(|fault| fault.acts_on(connection.number));
        let decision = acting
            .filter(|fault| fault.first_byte() == 0)
            .find_map(|fault| {
                let since = fault.active_since()?;
                let admission = fault.injection.fault.behaviour().admit(since);
                (admission != Admission::Forward).then_some((admission, fault))
            });
        let Some((admission, fault)) = decision else {
            return Ok(());
        };
        connection.touch(fault);
        if let Admission::End(how) = admission {
            return Err(how);
        }
        if changes.changed().await.is_err() {
            return Err(Cut::Close);
        }
    }
}

pub(super) async fn connect(upstream: &str) -> io::Result<TcpStream> {
    let server = TcpStream::connect(upstream).await?;
    server.set_nodelay(true)?;
    Ok(server)
}

async fn forward(
    client: &mut TcpStream,
    server: &mut TcpStream,
    connection: &Connection,
    shared: &Shared,
) -> Result<(), Cut> {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let faults = &shared.faults;
    let sent = &shared.counters.sent;
    let received = &shared.counters.received;
    let to = Pump::new(
        from_client,
        to_server,
        Direction::ToUpstream,
        connection,
        faults,
        sent,
    );
    let from = Pump::new(
        from_server,
        to_client,
        Direction::FromUpstream,
        connection,
        faults,
        received,
    );
    tokio::try_join!(to.run(), from.run())?;
    Ok(())
}

/// Prepares how the sides end when they are dropped.
fn end(how: Cut, sides: &[&TcpStream]) {
    if how == Cut::Reset {
        for side in sides {
            // A side that has ended by itself needs no reset.
            let _ = side.set_zero_linger();
        }
    }
}
