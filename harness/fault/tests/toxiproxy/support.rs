//! The API, an echo, and a client of HTTP/1.1 in a few lines.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longer than anything takes that does happen, on a loaded machine too.
const LONG: Duration = Duration::from_secs(20);

/// A running API, and an echo for its proxies.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) echo: SocketAddr,
}

impl Api {
    pub(crate) async fn start() -> Self {
        let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Self {
            address: listener.local_addr().unwrap(),
            echo: echo.local_addr().unwrap(),
        };
        let serve = cutover_fault::toxiproxy::serve(listener, std::future::pending());
        tokio::spawn(serve);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = echo.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        api
    }

    /// Sends a request; the answer is its status and its JSON.
    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n");
        let length = format!("content-length: {}\r\n\r\n", body.len());
        self.send_raw(&format!("{head}{length}{body}")).await
    }

    pub(crate) async fn send_raw(&self, request: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = tokio::time::timeout(LONG, stream.read_to_string(&mut answer));
        read.await.unwrap().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// Creates a proxy before the echo; returns its address.
    pub(crate) async fn create(&self, name: &str) -> SocketAddr {
        let body = format!(r#"{{"name": "{name}", "upstream": "{}"}}"#, self.echo);
        let (status, proxy) = self.send("POST", "/proxies", &body).await;
        assert_eq!(status, 201, "{proxy}");
        proxy["listen"].as_str().unwrap().parse().unwrap()
    }
}

/// Sends bytes through a proxy; returns how many come back before the connection ends, if it does.
pub(crate) async fn exchange(address: SocketAddr, size: usize) -> std::io::Result<usize> {
    let mut stream = TcpStream::connect(address).await?;
    let bytes = vec![7; size];
    let mut received = vec![0; size];
    let (mut from, mut to) = stream.split();
    let exchange = async {
        to.write_all(&bytes).await?;
        let mut count = 0;
        while count < size {
            match from.read(&mut received[count..]).await? {
                0 => break,
                read => count += read,
            }
        }
        Ok(count)
    };
    tokio::time::timeout(LONG, exchange).await.unwrap()
}
