//! The parts of a stack, played by this test program: an ignored test is a program that does nothing until it is told its part.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use crate::stack::wiring::{local, origin};
use crate::stack::{CommandLine, Stack, StackSpec};
use crate::standin::{StandinCard, StandinSettings};

/// Tells the owner where to start its stack.
pub(super) const ROOT: &str = "CUTOVER_TEST_ROOT";

/// A part of this test program.
pub(super) fn part(name: &str) -> CommandLine {
    let test = format!("stack::tests::fakes::{name}");
    // The link leads to this very program even after a build has put another in its place.
    let link = PathBuf::from("/proc/self/exe");
    let program = if link.exists() {
        link
    } else {
        env::current_exe().expect("this program")
    };
    CommandLine::new(program, &["--ignored", "--nocapture", "--exact", &test])
}

/// A stack of such parts.
pub(super) fn spec(root: &Path) -> StackSpec {
    StackSpec {
        pipeline: part("pipeline"),
        standins: part("standins"),
        root: root.to_owned(),
        ..StackSpec::new("unused")
    }
}

/// A directory for stacks.
pub(super) fn root() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;

    let root = tempfile::tempdir().expect("a directory");
    // PostgreSQL runs as another user where we are root.
    std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o711))
        .expect("permissions");
    root
}

/// Answers every request until it is killed.
fn serve(address: SocketAddr) {
    let listener = TcpListener::bind(address).expect("bind");
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    }
}

#[test]
#[ignore = "a part of a stack, not a test"]
fn pipeline() {
    if env::var_os("FAKE_FAILURE").is_some() {
        eprintln!("DATABASE_URL is not set");
        panic!("this part was told to fail");
    }
    let address = ["API_ADDR", "WORKER_ADDR"]
        .into_iter()
        .find_map(|name| env::var(name).ok());
    if let Some(address) = address {
        serve(address.parse().expect("an address"));
    }
}

#[test]
#[ignore = "a part of a stack, not a test"]
fn standins() {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .expect("settings");
    let Ok(settings) = serde_json::from_str::<StandinSettings>(&text) else {
        return;
    };
    let url = |name: &str| origin(local(settings.ports[name])).expect("a URL");
    let card = StandinCard {
        parser: url("parser"),
        embedder: url("embedder"),
        supabase: url("supabase"),
        control: url("control"),
    };
    println!("\n{}", serde_json::to_string(&card).expect("a card"));
    serve(local(settings.ports["control"]));
}

#[tokio::test]
#[ignore = "a part of a test, not a test"]
async fn owner() {
    let Some(root) = env::var_os(ROOT).map(PathBuf::from) else {
        return;
    };
    let _stack = Stack::start(&spec(&root)).await.expect("a stack");
    std::fs::write(root.join("started"), "").expect("a sign");
    std::future::pending::<()>().await;
}
