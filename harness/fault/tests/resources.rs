//! What a proxy occupies: no descriptors of closed connections, and no endless buffers.
#![expect(clippy::unwrap_used, reason = "a failed test setup fails the test")]

use std::net::SocketAddr;
use std::time::Duration;

use cutover_fault::faults::Latency;
use cutover_fault::{Direction, Proxy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// The tests of this file count what the process occupies: one at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

const CONNECTIONS: usize = 10_000;
const AT_ONCE: usize = 50;

async fn proxy(upstream: &TcpListener) -> Proxy {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let upstream = upstream.local_addr().unwrap();
    Proxy::bind(any, upstream.to_string()).await.unwrap()
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

async fn exchange(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'x');
}

#[tokio::test(flavor = "multi_thread")]
async fn many_connections_leave_no_descriptors() {
    let _alone = ALONE.lock().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = proxy(&listener).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    exchange(proxy.address()).await;
    let before = descriptors();
    for _ in 0..CONNECTIONS / AT_ONCE {
        let address = proxy.address();
        let together = (0..AT_ONCE).map(|_| tokio::spawn(exchange(address)));
        for each in together.collect::<Vec<_>>() {
            each.await.unwrap();
        }
    }
    assert_eq!(proxy.traffic().connections, CONNECTIONS as u64 + 1);
    let closed = async {
        // The last connection of the warm-up may have been open when they were counted.
        while descriptors() > before + 3 {
            // The proxy closes its ends without announcing it.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let closed = tokio::time::timeout(Duration::from_secs(20), closed).await;
    assert!(
        closed.is_ok(),
        "{} descriptors, {before} before",
        descriptors()
    );
}

#[tokio::test]
async fn a_dependency_that_does_not_read_stops_the_sender() {
    let _alone = ALONE.lock().await;
    for delay_ms in [None, Some(10)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = proxy(&listener).await;
        let latency = |delay_ms| Latency {
            direction: Direction::ToUpstream,
            delay_ms,
            jitter_ms: 0,
        };
        let _guard = delay_ms.map(|delay| proxy.inject(latency(delay)).unwrap());
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        let (_silent, _) = listener.accept().await.unwrap();
        let chunk = vec![0; 64 * 1024];
        let mut taken = 0;
        // The sender is stopped when a write does not end within a second.
        let write = Duration::from_secs(1);
        while let Ok(written) = tokio::time::timeout(write, client.write(&chunk)).await {
            taken += written.unwrap();
            // The system buffers up to about 10 MB per socket, and the delay line up to 64 MB.
            assert!(taken < 256 * 1024 * 1024, "{taken} bytes were taken");
        }
    }
}
