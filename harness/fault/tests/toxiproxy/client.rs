//! A published client of Toxiproxy uses the API.

use std::path::Path;

use tokio::process::Command;

use crate::support::Api;

#[tokio::test]
#[ignore = "needs the client that `harness/fault/tests/toxiproxy/install` installs"]
async fn the_python_client_finds_what_toxiproxy_documents() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let api = Api::start().await;
    let output = Command::new(root.join("target/toxiproxy-client/bin/python"))
        .arg(root.join("harness/fault/tests/toxiproxy/use.py"))
        .args([api.address.port().to_string(), api.echo.to_string()])
        .output();
    let output = output.await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}
