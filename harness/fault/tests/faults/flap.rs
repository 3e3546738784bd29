//! Flap: down and up in turns.

use cutover_fault::faults::Flap;

use crate::support::{Client, LONG, eventually, proxy};

#[tokio::test]
async fn connections_break_when_it_goes_down_and_work_when_it_is_up() {
    let proxy = proxy().await;
    let mut open = Client::connect(&proxy).await;
    open.exchange(b"before").await;
    let fault = Flap {
        down_ms: 150,
        up_ms: 150,
    };
    let guard = proxy.inject(fault).unwrap();
    assert!(open.ending().await.is_some());
    let (mut refused, mut cut) = (0, 0);
    let trying = async {
        while refused < 2 || cut < 2 {
            // While down, it is closed in order; while up, it lasts until the reset.
            match Client::connect(&proxy).await.ending().await {
                None => refused += 1,
                Some(_) => cut += 1,
            }
        }
    };
    tokio::time::timeout(LONG, trying)
        .await
        .expect("it did not alternate");
    eventually("the count", || guard.touched().connections >= 5).await;
    guard.heal().await.unwrap();
    Client::connect(&proxy).await.exchange(b"after").await;
}
