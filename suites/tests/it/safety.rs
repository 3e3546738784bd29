//! A run that the safety rules refuse sends no request that could change the target.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::test_home;

/// A service that reports its environment, and records the requests it gets.
struct RecordingService {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl RecordingService {
    /// Serves until the test program ends.
    fn start(environment: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let recorded = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                respond(stream, environment, &recorded);
            }
        });
        Self { port, requests }
    }

    /// Method and path of each request so far.
    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn respond(mut stream: TcpStream, environment: &str, requests: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().and_then(Result::ok).unwrap_or_default();
    let request = request.rsplit_once(' ').map_or("", |(request, _)| request);
    requests.lock().unwrap().push(request.to_owned());
    for line in lines.map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
    }
    let body = format!("{{\"environment\":\"{environment}\",\"commit\":\"abc1234\"}}");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let response = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    // A client that has closed the connection does not need the response.
    let _ = stream.write_all(response.as_bytes());
}

/// Validates a service with a target file that claims this class.
fn validate(service: &RecordingService, class: &str, arguments: &[&str]) -> Output {
    let home = test_home();
    let target = format!(
        "schema = 1\nname = \"theirs\"\nclass = \"{class}\"\n[api]\nurl = \"http://127.0.0.1:{}\"\n\
         [identity.mint]\nsecret = {{ env = \"SECRET\" }}\nissuer = \"x\"\n",
        service.port
    );
    home.write("theirs.toml", &target);
    home.command(["validate", "--target", "theirs.toml"])
        .args(arguments)
        .env("SECRET", "a secret for this test only, of 32 bytes or more")
        .output()
        .unwrap()
}

#[test]
fn only_the_smoke_profile_sends_requests_to_production() {
    let service = RecordingService::start("production");
    for profile in ["quick", "gate", "soak"] {
        let refused = validate(&service, "production", &["--profile", profile]);
        assert_eq!(refused.status.code(), Some(5), "{refused:?}");
    }
    assert_eq!(service.requests(), [""; 0]);
}

#[test]
fn a_class_that_the_service_contradicts_is_refused_after_the_version_request() {
    let service = RecordingService::start("production");
    for class in ["local", "staging"] {
        let refused = validate(&service, class, &["--profile", "quick"]);
        assert_eq!(refused.status.code(), Some(5), "{refused:?}");
    }
    assert_eq!(service.requests(), ["GET /version"; 2]);
}

#[test]
fn an_unexpected_commit_is_refused_after_the_version_request() {
    let service = RecordingService::start("local");
    let refused = validate(&service, "local", &["--expect-commit", "def5678"]);
    assert_eq!(refused.status.code(), Some(5), "{refused:?}");
    assert_eq!(service.requests(), ["GET /version"]);
}

#[test]
fn a_dry_run_sends_no_request() {
    let service = RecordingService::start("local");
    let described = validate(&service, "local", &["--dry-run"]);
    assert_eq!(described.status.code(), Some(0), "{described:?}");
    assert_eq!(service.requests(), [""; 0]);
}
