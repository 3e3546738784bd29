//! Half-open: the dependency goes, and the client does not see it.

use cutover_fault::faults::HalfOpen;
use tokio::sync::Notify;

use std::sync::Arc;

use crate::support::{Client, before, eventually, serve};

/// Answers the first byte, and closes at the notification: with a reset or with a FIN.
async fn leaving(resets: bool, leaves: Arc<Notify>) -> std::net::SocketAddr {
    serve(move |stream| {
        let leaves = Arc::clone(&leaves);
        async move {
            let mut client = Client(stream);
            let byte = client.receive(1).await.unwrap();
            client.send(&byte).await;
            leaves.notified().await;
            if resets {
                client.0.set_zero_linger().unwrap();
            }
        }
    })
    .await
}

#[tokio::test]
async fn neither_fin_nor_rst_reaches_the_client_until_the_fault_is_healed() {
    for resets in [false, true] {
        let leaves = Arc::new(Notify::new());
        let proxy = before(leaving(resets, Arc::clone(&leaves)).await).await;
        let guard = proxy.inject(HalfOpen {}).unwrap();
        let mut client = Client::connect(&proxy).await;
        client.exchange(b"1").await;
        leaves.notify_one();
        eventually("the close", || guard.touched().chunks == 1).await;
        // The dependency has gone: the second byte would break the connection.
        for _ in 0..3 {
            client.send(b"x").await;
            assert!(client.read_briefly().await.is_none());
        }
        assert_eq!(guard.touched().connections, 1);
        drop(guard);
        client.ending().await;
    }
}
