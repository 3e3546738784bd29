//! The published clients of the real services use the stand-ins as they use the services.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cutover_fixtures::documents::DocumentBuilder;
use cutover_test_support::{TestHome, TestProcess};
use serde_json::{Value, json};

use crate::{Tests, test_home, tests};

pub(crate) const TESTS: &Tests = tests![
    the_openai_client_embeds,
    the_llamaparse_client_parses,
    the_storage_client_stores,
    the_auth_client_logs_in,
];

/// Tokens whose contents the stand-ins do not look at, in the shape that the client checks.
const ANON: &str = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl";
const SERVICE_ROLE: &str = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl";

/// The Python of the environment that `fixtures/clients/install` makes.
pub(crate) fn python() -> PathBuf {
    repository().join("target/clients/bin/python")
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Starts the stand-ins; returns their endpoints as JSON.
fn start(home: &TestHome) -> (TestProcess, String) {
    let settings = json!({
        "bind": "127.0.0.1", "parser_key": "parser-key", "embedder_key": "embedder-key",
        "anon_key": ANON, "service_role_key": SERVICE_ROLE,
        "jwt_secret": "a secret for this test only, of 32 bytes or more",
        "storage_dir": home.path("objects"), "buckets": ["files"], "dimensions": 1536,
        "max_batch": 2048, "models": ["text-embedding-3-small"], "upload_url_ttl_ms": 60_000,
    });
    std::fs::write(home.path("settings.json"), settings.to_string()).unwrap();
    let mut command = home.command(["standins", "--settings", "settings.json"]);
    let mut standins = TestProcess::spawn(command.stdout(Stdio::piped()));
    let mut line = String::new();
    let mut stdout = BufReader::new(standins.take_stdout());
    stdout.read_line(&mut line).unwrap();
    (standins, line.trim().to_owned())
}

/// Runs the part of `fixtures/clients/use.py` that uses one client.
fn use_client(name: &str) {
    let home = test_home();
    let document = DocumentBuilder::new([7; 16]).pages(2).build();
    std::fs::write(home.path("document.pdf"), document.bytes()).unwrap();
    let (_standins, endpoints) = start(&home);
    let keys: Value = json!({
        "parser": "parser-key", "embedder": "embedder-key", "anon": ANON,
        "service_role": SERVICE_ROLE,
    });
    let output = Command::new(python())
        .arg(repository().join("fixtures/clients/use.py"))
        .args([name, &endpoints, &keys.to_string()])
        .arg(home.path("document.pdf"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
}

fn the_openai_client_embeds() {
    use_client("openai");
}

fn the_llamaparse_client_parses() {
    use_client("llamaparse");
}

fn the_storage_client_stores() {
    use_client("storage");
}

fn the_auth_client_logs_in() {
    use_client("auth");
}
