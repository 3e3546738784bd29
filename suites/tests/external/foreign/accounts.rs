//! Test accounts that log in with a password, and may upload three documents a day.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use cutover_test_support::{TestProcess, output_text, wait_for};
use serde_json::{Value, json};

use super::pipeline::{ForeignPipeline, sign};
use crate::{Tests, tests};

pub(crate) const TESTS: &Tests = tests![
    accounts_log_in_again_when_a_run_outlasts_their_tokens,
    accounts_whose_quota_is_spent_raise_no_false_alarm,
    accounts_whose_quota_was_spent_before_raise_no_false_alarm,
    a_wrong_password_is_reported_with_its_account,
    two_accounts_are_enough_for_a_smoke_test,
    one_account_given_twice_is_refused,
];

const ACCOUNTS: &str = "{ email = \"a@example.org\", password = { env = \"PASSWORD_A\" } }, \
                        { email = \"b@example.org\", password = { env = \"PASSWORD_B\" } }";

/// The password of the second account; the first has another.
const PASSWORD: &str = "battery staple";

/// Starts the pipeline with a target file that has accounts in the place of the secret of tokens.
fn start_with_accounts(accounts: &str) -> ForeignPipeline {
    let foreign = ForeignPipeline::start();
    let target = foreign.target();
    let (before, rest) = target.split_once("[identity.mint]").unwrap();
    let (_, after) = rest.split_once("[storage]").unwrap();
    let after = after.replace(
        "[standins.keys]",
        "[standins.keys]\njwt_secret = { env = \"SUPABASE_JWT_SECRET\" }",
    );
    let login = format!(
        "[identity.login]\nsupabase_url = \"{}\"\nanon_key = {{ env = \"SUPABASE_ANON_KEY\" }}\n\
         accounts = [{accounts}]\n\n[storage]",
        supabase_url(foreign.standin_ports()[2])
    );
    foreign.write_target(&format!("{before}{login}{after}"));
    foreign
}

fn supabase_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// A call of cutover with the passwords of both accounts.
fn command(foreign: &ForeignPipeline, arguments: &[&str], password: &str) -> std::process::Command {
    let mut command = foreign.command(arguments);
    command
        .env("PASSWORD_A", "correct horse")
        .env("PASSWORD_B", password);
    command
}

fn run(foreign: &ForeignPipeline, arguments: &[&str]) -> Output {
    command(foreign, arguments, PASSWORD).output().unwrap()
}

fn two_accounts_are_enough_for_a_smoke_test() {
    let foreign = start_with_accounts(ACCOUNTS);
    let doctor = run(&foreign, &["doctor"]);
    assert_eq!(doctor.status.code(), Some(0), "{}", output_text(&doctor));
    let smoke = run(&foreign, &["smoke"]);
    let text = output_text(&smoke);
    assert_eq!(smoke.status.code(), Some(0), "{text}");
    assert!(!text.contains(PASSWORD), "{text}");
    foreign.assert_nothing_left();
}

fn a_wrong_password_is_reported_with_its_account() {
    let foreign = start_with_accounts(ACCOUNTS);
    let mut standins = command(&foreign, &["standins"], PASSWORD);
    let _standins = TestProcess::spawn(standins.stdout(Stdio::null()));
    wait_for("the stand-ins", || {
        foreign.standins_are_served().then_some(())
    });
    for (verb, code) in [("doctor", 2), ("smoke", 3)] {
        let output = command(&foreign, &[verb], "correct donkey")
            .output()
            .unwrap();
        let text = output_text(&output);
        assert_eq!(output.status.code(), Some(code), "{verb}: {text}");
        assert!(text.contains("log in as 'b@example.org'"), "{verb}: {text}");
        assert!(text.contains("Invalid login credentials"), "{verb}: {text}");
        assert!(!text.contains("correct donkey"), "{verb}: {text}");
    }
}

fn one_account_given_twice_is_refused() {
    let foreign = start_with_accounts(&ACCOUNTS.replace("b@", "A@"));
    let smoke = command(&foreign, &["smoke"], "correct horse")
        .output()
        .unwrap();
    let text = output_text(&smoke);
    assert_eq!(smoke.status.code(), Some(2), "{text}");
    assert!(text.contains("twice"), "{text}");
}

/// The journals of the newest run's trials.
fn journals(foreign: &ForeignPipeline) -> String {
    let trials = foreign.home.newest_run_directory().join("trials");
    let trials = std::fs::read_dir(trials).unwrap();
    let texts = trials.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    texts.collect()
}

fn accounts_whose_quota_is_spent_raise_no_false_alarm() {
    let foreign = start_with_accounts(ACCOUNTS);
    // The two accounts may upload six documents, and these checks would upload more.
    let mut arguments = vec!["validate"];
    for check in ["every_callback_shape", "a_duplicate", "smoke::"] {
        arguments.extend(["--check", check]);
    }
    let output = run(&foreign, &arguments);
    let text = output_text(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(!text.contains("FAIL"), "{text}");
    let journals = journals(&foreign);
    assert!(journals.contains("add accounts under [identity]"));
    assert!(
        !journals.contains("\"status\":429"),
        "an upload was sent without a quota"
    );
}

fn accounts_whose_quota_was_spent_before_raise_no_false_alarm() {
    let foreign = start_with_accounts(ACCOUNTS);
    let mut codes = Vec::new();
    for _ in 0..4 {
        let smoke = run(&foreign, &["smoke"]);
        let text = output_text(&smoke);
        assert!(!text.contains("NO-GO"), "{text}");
        codes.push(smoke.status.code());
    }
    // A smoke test uploads two documents, and the two accounts may upload six a day.
    assert_eq!(codes, [0, 0, 0, 3].map(Some));
    assert!(journals(&foreign).contains("other runs may have used"));
}

/// Starts an identity provider whose tokens have this lifetime; returns its port and a counter of logins.
fn start_identity_provider(lifetime: Duration) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let logins = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&logins);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            log_in(&mut stream.unwrap(), lifetime);
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    (port, logins)
}

/// Responds to one login with a token that the pipeline accepts.
fn log_in(stream: &mut TcpStream, lifetime: Duration) {
    let mut request = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        request.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    request.read_exact(&mut body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let email = body["email"].as_str().unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let token = sign(&json!({
        "sub": uuid::Uuid::new_v5(&uuid::Uuid::nil(), email.as_bytes()), "email": email,
        "aud": "authenticated", "role": "authenticated", "exp": (now.unwrap() + lifetime).as_secs(),
    }));
    let body = json!({"access_token": token}).to_string();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}

fn accounts_log_in_again_when_a_run_outlasts_their_tokens() {
    let foreign = start_with_accounts(ACCOUNTS);
    // A token is renewed after half of its lifetime: no trial takes as long, but the run does.
    let (port, logins) = start_identity_provider(Duration::from_secs(40));
    let supabase = foreign.standin_ports()[2];
    let [old, new] =
        [supabase, port].map(|port| format!("supabase_url = \"{}\"\nanon_key", supabase_url(port)));
    foreign.replace_in_target(&old, &new);
    let output = run(
        &foreign,
        &[
            "validate",
            "--check",
            "late_bytes_are_waited_for",
            "--check",
            "smoke::",
        ],
    );
    let text = output_text(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(!text.contains("FAIL"), "{text}");
    assert!(logins.load(Ordering::Relaxed) >= 4, "{text}");
}
