//! What refuses a run refuses it before the target is asked for anything that changes it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

/// A service that says what it is, and remembers what it was asked.
struct Service {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    /// Serves until the test ends.
    fn of(environment: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let remembered = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, environment, &remembered);
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, environment: &str, asked: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let first = lines.next().and_then(Result::ok).unwrap_or_default();
    let target = first.rsplit_once(' ').map_or("", |(target, _)| target);
    asked.lock().unwrap().push(target.to_owned());
    for line in lines.map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
    }
    let body = format!("{{\"environment\":\"{environment}\",\"commit\":\"abc1234\"}}");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    // Whoever does not wait for the answer does not want it.
    let _ = stream.write_all(answer.as_bytes());
}

/// Validates a service that is said to be of a class.
fn validate(service: &Service, class: &str, arguments: &[&str]) -> Output {
    let directory = TempDir::new().unwrap();
    let target = format!(
        "schema = 1\nname = \"theirs\"\nclass = \"{class}\"\n[api]\nurl = \"http://127.0.0.1:{}\"\n\
         [identity.mint]\nsecret = {{ env = \"SECRET\" }}\nissuer = \"x\"\n",
        service.port
    );
    std::fs::write(directory.path().join("theirs.toml"), target).unwrap();
    Command::new(env!("CARGO_BIN_EXE_cutover"))
        .args(["validate", "--target", "theirs.toml"])
        .args(arguments)
        .env("SECRET", "a secret of a test, of no use elsewhere")
        .env_remove("NEXTEST_RUN_ID")
        .current_dir(directory.path())
        .output()
        .unwrap()
}

#[test]
fn production_is_asked_for_nothing_but_the_smoke_test() {
    let service = Service::of("production");
    for profile in ["quick", "gate", "soak"] {
        let refused = validate(&service, "production", &["--profile", profile]);
        assert_eq!(refused.status.code(), Some(5), "{refused:?}");
    }
    assert_eq!(service.asked(), [""; 0]);
}

#[test]
fn a_class_that_the_service_denies_is_asked_for_its_version_alone() {
    let service = Service::of("production");
    for class in ["local", "staging"] {
        let refused = validate(&service, class, &["--profile", "quick"]);
        assert_eq!(refused.status.code(), Some(5), "{refused:?}");
    }
    assert_eq!(service.asked(), ["GET /version"; 2]);
}

#[test]
fn another_commit_than_expected_is_refused() {
    let service = Service::of("local");
    let refused = validate(&service, "local", &["--expect-commit", "def5678"]);
    assert_eq!(refused.status.code(), Some(5), "{refused:?}");
    assert_eq!(service.asked(), ["GET /version"]);
}

#[test]
fn a_dry_run_asks_nothing() {
    let service = Service::of("local");
    let described = validate(&service, "local", &["--dry-run"]);
    assert_eq!(described.status.code(), Some(0), "{described:?}");
    assert_eq!(service.asked(), [""; 0]);
}
