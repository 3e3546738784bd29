//! A server written by hand: what it does with a connection is up to the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// A server on a free port, until the test's runtime ends.
pub(crate) struct Wire {
    pub(crate) url: Url,
    connections: Arc<AtomicUsize>,
}

impl Wire {
    /// A server that does this with each connection, which comes with its number from 1.
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

    /// A server that reads a request, says this, and ends the connection.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::new(move |mut stream, _| {
            let answer = Arc::clone(&answer);
            async move {
                if request(&mut stream).await.is_some() {
                    // Whoever has had enough hangs up.
                    let _ = stream.write_all(&answer).await;
                }
            }
        })
        .await
    }

    /// A server that reads a request, says the beginning, and then the rest again and again.
    pub(crate) async fn going_on(
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

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads the head of a request; nothing where the connection has ended.
pub(crate) async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.ok()?;
        head.push(byte);
    }
    String::from_utf8(head).ok()
}

/// Reads a request, gives its head; nothing where the connection has ended.
pub(crate) async fn request(stream: &mut TcpStream) -> Option<String> {
    let head = head(stream).await?;
    let length = head.lines().find_map(|line| {
        let length = line.strip_prefix("content-length: ")?;
        length.parse().ok()
    });
    // Who hangs up on what was not read takes the answer back.
    let mut body = vec![0; length.unwrap_or_default()];
    stream.read_exact(&mut body).await.ok()?;
    Some(head)
}
