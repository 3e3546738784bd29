//! Refuse: new connections are closed, open ones go on.

use cutover_fault::faults::Refuse;

use crate::support::{Client, proxy};

#[tokio::test]
async fn a_new_connection_is_closed_and_an_open_one_goes_on() {
    let proxy = proxy().await;
    let mut open = Client::connect(&proxy).await;
    open.exchange(b"before").await;
    let guard = proxy.inject(Refuse {}).unwrap();
    let mut refused = Client::connect(&proxy).await;
    assert_eq!(refused.ending().await, None);
    open.exchange(b"during").await;
    assert_eq!(guard.touched().connections, 1);
    guard.heal().await.unwrap();
    Client::connect(&proxy).await.exchange(b"after").await;
}
