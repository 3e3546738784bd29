//! A TCP server with a response that the test writes byte by byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A TCP server on a free port; it stops with the runtime of the test.
pub(crate) struct RawServer {
    pub(crate) url: Url,
    connections: Arc<AtomicUsize>,
}

impl RawServer {
    /// A server that runs `act` on each connection; connections are numbered from 1.
    pub(crate) async fn new<F: Future<Output = ()> + Send>(
        act: impl Fn(TcpStream, usize) -> F + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
                let act = act.clone();
                tokio::spawn(async move { act(stream, number).await });
            }
        });
        Self {
            url: format!("http://{address}/a").parse().unwrap(),
            connections,
        }
    }

    /// A server that reads a request, sends this response, and closes the connection.
    pub(crate) async fn responding(response: impl Into<Vec<u8>>) -> Self {
        let response: Arc<[u8]> = response.into().into();
        Self::new(move |mut stream, _| {
            let response = Arc::clone(&response);
            async move {
                if request(&mut stream).await.is_some() {
                    // The client may close the connection early.
                    let _ = stream.write_all(&response).await;
                }
            }
        })
        .await
    }

    /// A server that reads a request, sends `beginning`, and then repeats `rest`.
    pub(crate) async fn repeating(
        beginning: &'static str,
        rest: &'static [u8],
        pause: std::time::Duration,
    ) -> Self {
        Self::new(move |mut stream, _| async move {
            request(&mut stream).await;
            let _ = stream.write_all(beginning.as_bytes()).await;
            while stream.write_all(rest).await.is_ok() {
                // The shortest sleep is a millisecond.
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
        })
        .await
    }

    /// The number of connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads the head of a request; `None` if the connection was closed.
pub(crate) async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.ok()?;
        head.push(byte);
    }
    String::from_utf8(head).ok()
}

/// Reads a request and returns its head; `None` if the connection was closed.
pub(crate) async fn request(stream: &mut TcpStream) -> Option<String> {
    let head = head(stream).await?;
    let length = head.lines().find_map(|line| {
        let length = line.strip_prefix("content-length: ")?;
        length.parse().ok()
    });
    // Closing a socket with unread data resets the connection, and the response may be lost.
    let mut body = vec![0; length.unwrap_or_default()];
    stream.read_exact(&mut body).await.ok()?;
    Some(head)
}
