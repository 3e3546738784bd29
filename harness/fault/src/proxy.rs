//! Forwards the connections of one link in both directions, and counts their bytes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::link::Counters;

/// The size of the buffer of one direction, in bytes.
const BUFFER: usize = 16 * 1024;

/// The pause after a failed accept, e.g. when there are no file descriptors left.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Accepts and forwards connections; dropping the future closes all of them.
pub(super) async fn serve(listener: TcpListener, upstream: String, counters: Arc<Counters>) {
    let mut connections = JoinSet::new();
    loop {
        // Finished tasks are removed, so that memory does not grow during a long run.
        while connections.try_join_next().is_some() {}
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(RETRY_DELAY).await;
            continue;
        };
        counters.connections.fetch_add(1, Ordering::Relaxed);
        let (upstream, counters) = (upstream.clone(), Arc::clone(&counters));
        connections.spawn(async move {
            match TcpStream::connect(&upstream).await {
                // A broken connection is not an error of the proxy.
                Ok(server) => drop(forward(client, server, &counters).await),
                Err(_) => drop(counters.refused.fetch_add(1, Ordering::Relaxed)),
            }
        });
    }
}

/// Forwards both directions until both have ended; an error in one ends both.
async fn forward(client: TcpStream, server: TcpStream, counters: &Counters) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        copy(from_client, to_server, &counters.sent),
        copy(from_server, to_client, &counters.received),
    )?;
    Ok(())
}

/// Forwards one direction until its end, and forwards the end as well.
async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    counter: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
        counter.fetch_add(read as u64, Ordering::Relaxed);
    }
}
