//! An echo, a proxy in front of it, and what a client observes.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use cutover_fault::Proxy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longer than anything takes that does happen, on a loaded machine too.
pub(crate) const LONG: Duration = Duration::from_secs(10);

/// Long enough to see that nothing happens: what would happen takes microseconds.
pub(crate) const SHORT: Duration = Duration::from_millis(100);

/// Sends back what each connection sends, and its end.
pub(crate) async fn echo() -> SocketAddr {
    serve(|mut stream| async move {
        let (mut from, mut to) = stream.split();
        let _ = tokio::io::copy(&mut from, &mut to).await;
        let _ = to.shutdown().await;
    })
    .await
}

/// Serves each connection with a function.
pub(crate) async fn serve<F, R>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// A proxy in front of an echo.
pub(crate) async fn proxy() -> Proxy {
    before(echo().await).await
}

/// A proxy in front of an address.
pub(crate) async fn before(upstream: SocketAddr) -> Proxy {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    Proxy::bind(any, upstream.to_string()).await.unwrap()
}

/// A client of a proxy.
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn connect(proxy: &Proxy) -> Self {
        Self(TcpStream::connect(proxy.address()).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next `size` bytes.
    pub(crate) async fn receive(&mut self, size: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; size];
        let read = tokio::time::timeout(LONG, self.0.read_exact(&mut bytes));
        read.await.expect("nothing came").map(|_| bytes)
    }

    /// Sends bytes and expects them back.
    pub(crate) async fn exchange(&mut self, bytes: &[u8]) {
        self.send(bytes).await;
        assert_eq!(self.receive(bytes.len()).await.unwrap(), bytes);
    }

    /// What a read brings within a short time; `None` if nothing comes.
    pub(crate) async fn read_briefly(&mut self) -> Option<io::Result<usize>> {
        let mut byte = [0];
        tokio::time::timeout(SHORT, self.0.read(&mut byte))
            .await
            .ok()
    }

    /// How the connection ends: `None` is an orderly end.
    pub(crate) async fn ending(&mut self) -> Option<io::ErrorKind> {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(LONG, self.0.read_to_end(&mut rest));
        read.await
            .expect("it did not end")
            .err()
            .map(|error| error.kind())
    }
}

/// What a future brings, which must come.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future)
        .await
        .expect("it did not come")
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(LONG, async {
        while !holds() {
            // The condition is about another task, which announces nothing.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited
        .await
        .unwrap_or_else(|_| panic!("{what} did not come true"));
}
