//! Relays connections: whatever comes in at one end goes out at the other, and is counted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::link::Counters;

/// How much is read at a time, in bytes.
const BUFFER: usize = 16 * 1024;

/// The pause after the operating system gave no connection, for want of file descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// Relays what connects to the listener, until it is dropped with all its connections.
pub(super) async fn serve(listener: TcpListener, upstream: String, counters: Arc<Counters>) {
    let mut connections = JoinSet::new();
    loop {
        // Those that have ended are forgotten, or a long run would remember every one of them.
        while connections.try_join_next().is_some() {}
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        counters.connections.fetch_add(1, Ordering::Relaxed);
        let (upstream, counters) = (upstream.clone(), Arc::clone(&counters));
        connections.spawn(async move {
            match TcpStream::connect(&upstream).await {
                // How a connection ends is a matter of its two ends.
                Ok(server) => drop(relay(client, server, &counters).await),
                Err(_) => drop(counters.refused.fetch_add(1, Ordering::Relaxed)),
            }
        });
    }
}

/// Relays both directions; when one breaks, so does the other.
async fn relay(client: TcpStream, server: TcpStream, counters: &Counters) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        pump(from_client, to_server, &counters.sent),
        pump(from_server, to_client, &counters.received),
    )?;
    Ok(())
}

/// Passes one direction on until its end, which is passed on too.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    counted: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
        counted.fetch_add(read as u64, Ordering::Relaxed);
    }
}
