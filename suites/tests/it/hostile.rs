//! A target that answers in a hostile way: no crash, no hang, no GO, and no critical finding but that documents do not arrive.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::test_home;

/// How a service answers everything but the question who it is.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Everything is fine.
    Fine,
    /// Everything is the page of a login.
    Login,
    /// Everything fails, with the page of an exception.
    Exception,
    /// Everything is refused, with what was sent.
    Reflection,
    /// Everything is a body without an end.
    Endless,
}

const IDENTITY: &str = r#"{"commit":"abc1234","build":"1","environment":"local"}"#;

/// Serves until the test program ends, and returns the port.
fn serve(manner: Manner) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client may close its connection at any time.
            thread::spawn(move || drop(answer(stream, manner)));
        }
    });
    port
}

/// Answers one request, and closes the connection.
fn answer(mut stream: TcpStream, manner: Manner) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let length = head
        .to_lowercase()
        .split("content-length: ")
        .nth(1)
        .map_or(0, |rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or(0)
        });
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path.ends_with("/version") {
        return respond(&mut stream, "200 OK", "application/json", IDENTITY);
    }
    match manner {
        Manner::Fine => respond(
            &mut stream,
            "200 OK",
            "application/json",
            r#"{"status":"ok"}"#,
        ),
        Manner::Login => respond(
            &mut stream,
            "200 OK",
            "text/html",
            "<html><form action=/login><input name=password></form></html>",
        ),
        Manner::Exception => respond(
            &mut stream,
            "500 Internal Server Error",
            "text/html",
            "<h1>Traceback (most recent call last)</h1> File \"/app/x.py\", line 3: SELECT * FROM users",
        ),
        Manner::Reflection => {
            let sent = format!("{head}{}", String::from_utf8_lossy(&body));
            let body = serde_json::json!({"error": "bad", "message": sent}).to_string();
            respond(&mut stream, "400 Bad Request", "application/json", &body)
        }
        Manner::Endless => endless(&mut stream),
    }
}

fn respond(stream: &mut TcpStream, status: &str, kind: &str, body: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

/// Sends until the client closes the connection.
fn endless(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")?;
    loop {
        stream.write_all(&[b'x'; 8_192])?;
    }
}

/// Validates the service by the security suite, and returns the output and the critical checks that failed.
fn validate(manner: Manner) -> (Output, Vec<String>) {
    let home = test_home();
    let target = format!(
        "schema = 1\nname = \"theirs\"\nclass = \"local\"\n[api]\nurl = \"http://127.0.0.1:{}\"\n\
         [identity.mint]\nsecret = {{ env = \"SECRET\" }}\nissuer = \"x\"\n",
        serve(manner)
    );
    home.write("theirs.toml", &target);
    let output = home
        .command(["validate", "--target", "theirs.toml", "--suite", "security"])
        .env("SECRET", "a secret for this test only, of 32 bytes or more")
        .output()
        .unwrap();
    let verdict = home.newest_run_directory().join("verdict.json");
    let verdict: Value = serde_json::from_str(&std::fs::read_to_string(verdict).unwrap()).unwrap();
    let failed = verdict["checks"].as_array().unwrap().iter();
    let failed =
        failed.filter(|check| check["status"] == "failed" && check["severity"] == "critical");
    let failed = failed.map(|check| check["id"].as_str().unwrap().to_owned());
    (output, failed.collect())
}

/// The time within which such a run ends, also on a busy machine.
const WITHIN: Duration = Duration::from_secs(100);

/// The critical checks that say that a service does not work, and nothing about its security.
const ABOUT_THE_SERVICE: &[&str] = &[
    "security::two_users_each_complete_a_document",
    "security::a_valid_token_opens_every_route",
];

#[test]
fn a_hostile_target_is_neither_a_go_nor_a_crash() {
    for manner in [
        Manner::Fine,
        Manner::Login,
        Manner::Exception,
        Manner::Reflection,
        Manner::Endless,
    ] {
        let began = Instant::now();
        let (output, failed) = validate(manner);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            matches!(output.status.code(), Some(1 | 3)),
            "{manner:?}: {output:?}"
        );
        assert!(!errors.contains("panicked"), "{manner:?}: {errors}");
        assert!(
            began.elapsed() < WITHIN,
            "{manner:?}: {:?}",
            began.elapsed()
        );
        let critical: Vec<_> = failed
            .iter()
            .filter(|check| !ABOUT_THE_SERVICE.contains(&check.as_str()))
            .collect();
        assert!(
            critical.is_empty(),
            "{manner:?}: a critical finding about a service that does nothing: {critical:?}"
        );
    }
}
