//! `cutover sweep --target` tells the truth about targets that delete nothing, or cannot show it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::test_home;

/// The plan of another run; only the name of its target matters here.
const PLAN: &str = include_str!("../../../reports/tests/golden/run/plan.json");

/// A document that a killed run left behind.
const LEFT: &str = r#"{"created":{"user_id":"00000000-0000-4000-8000-000000000001","document_id":"00000000-0000-5000-8000-000000000002"}}"#;

/// How a target answers a method: with this status, and with the document if it is 200.
type Answers = fn(&str) -> u16;

/// Serves until the test program ends; returns the port.
fn serve(answers: Answers) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            respond(stream, answers);
        }
    });
    port
}

fn respond(mut stream: TcpStream, answers: Answers) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().and_then(Result::ok).unwrap_or_default();
    for line in lines.map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
    }
    let status = answers(&request);
    let body = r#"{"document_id":"00000000-0000-5000-8000-000000000002"}"#;
    let head =
        format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n");
    let response = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    // A client that has closed the connection does not need the response.
    let _ = stream.write_all(response.as_bytes());
}

/// Sweeps a target with these overrides of the contract; returns the exit code and what it prints.
fn sweep(answers: Answers, overrides: &str) -> (Option<i32>, String) {
    let home = test_home();
    let target = format!(
        "schema = 1\nname = \"theirs\"\nclass = \"local\"\n[api]\nurl = \"http://127.0.0.1:{}\"\n\
         [identity.mint]\nsecret = {{ env = \"SECRET\" }}\nissuer = \"x\"\n{overrides}",
        serve(answers)
    );
    home.write("theirs.toml", &target);
    let mut plan: serde_json::Value = serde_json::from_str(PLAN).unwrap();
    plan["target"]["name"] = "theirs".into();
    std::fs::create_dir_all(home.path("runs/killed")).unwrap();
    home.write("runs/killed/plan.json", &plan.to_string());
    home.write("runs/killed/cleanup.jsonl", &format!("{LEFT}\n"));
    let swept = home
        .command(["sweep", "--target", "theirs.toml", "--output", "runs"])
        .env("SECRET", "a secret for this test only, of 32 bytes or more")
        .output()
        .unwrap();
    let journal = std::fs::read_to_string(home.path("runs/killed/cleanup.jsonl")).unwrap();
    let text = String::from_utf8(swept.stdout).unwrap();
    assert_eq!(
        journal.contains("removed"),
        text.contains("1 documents removed"),
        "{journal}{text}"
    );
    (swept.status.code(), text)
}

#[test]
fn a_target_without_a_delete_route_keeps_its_documents() {
    let absent = "[contract.routes.delete_document]\npresence = \"absent\"\n";
    let (code, text) = sweep(|_| 200, absent);
    assert!(text.contains("0 documents removed, 1 left"), "{text}");
    assert_eq!(code, Some(3), "{text}");
}

#[test]
fn a_target_that_says_200_and_deletes_nothing_keeps_its_documents() {
    let (code, text) = sweep(|_| 200, "");
    assert!(text.contains("0 documents removed, 1 left"), "{text}");
    assert_eq!(code, Some(3), "{text}");
}

#[test]
fn a_target_that_says_404_to_everything_proves_no_deletion() {
    let (code, text) = sweep(|_| 404, "");
    assert!(text.contains("0 documents removed, 1 left"), "{text}");
    assert!(text.contains("cannot be proved"), "{text}");
    assert_eq!(code, Some(3), "{text}");
}
