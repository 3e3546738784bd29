//! Tenants that log in with a password, and may upload three documents a day.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::waiting::wait_for;
use crate::world::{World, is_open, said, signal, signed};

/// The target with accounts in the place of a secret to mint tokens with.
fn log_in(world: &World, accounts: &str) {
    let supabase = format!("http://127.0.0.1:{}", world.ports()[2]);
    let target = std::fs::read_to_string(world.path("target.toml")).unwrap();
    let (before, rest) = target.split_once("[identity.mint]").unwrap();
    let (_, after) = rest.split_once("[storage]").unwrap();
    let after = after.replace(
        "[standins.keys]",
        "[standins.keys]\njwt_secret = { env = \"SUPABASE_JWT_SECRET\" }",
    );
    let login = format!(
        "[identity.login]\nsupabase_url = \"{supabase}\"\nanon_key = {{ env = \"SUPABASE_ANON_KEY\" }}\n\
         accounts = [{accounts}]\n\n[storage]"
    );
    world.write(&format!("{before}{login}{after}"));
}

const TWO: &str = "{ email = \"a@example.org\", password = { env = \"PASSWORD_A\" } }, \
                   { email = \"b@example.org\", password = { env = \"PASSWORD_B\" } }";

/// A call of cutover with the passwords of both accounts.
fn call(world: &World, arguments: &[&str], password_b: &str) -> std::process::Command {
    let mut command = world.command(arguments);
    command
        .env("PASSWORD_A", "correct horse")
        .env("PASSWORD_B", password_b);
    command
}

#[test]
fn accounts_that_log_in_are_enough_for_a_smoke_test() {
    let Some(world) = World::start("") else {
        return;
    };
    log_in(&world, TWO);
    let output = call(&world, &["doctor"], "battery staple")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let output = call(&world, &["smoke"], "battery staple").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(!said(&output).contains("battery staple"));
    world.must_be_clean();
}

#[test]
fn a_wrong_password_is_named_by_its_account() {
    let Some(world) = World::start("") else {
        return;
    };
    log_in(&world, TWO);
    let mut alone = call(&world, &["standins"], "battery staple")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the stand-ins", || {
        world.ports().into_iter().all(is_open).then_some(())
    });
    for (verb, code) in [("doctor", 2), ("smoke", 3)] {
        let output = call(&world, &[verb], "correct donkey").output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{verb}: {said}");
        assert!(said.contains("log in as 'b@example.org'"), "{verb}: {said}");
        assert!(said.contains("Invalid login credentials"), "{verb}: {said}");
        assert!(!said.contains("correct donkey"), "{verb}: {said}");
    }
    signal(&alone, "TERM");
    alone.wait().unwrap();
}

#[test]
fn one_account_is_not_two() {
    let Some(world) = World::start("") else {
        return;
    };
    log_in(&world, &TWO.replace("b@", "A@"));
    let output = call(&world, &["smoke"], "correct horse").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("twice"), "{}", said(&output));
}

/// What the trials of the newest run wrote.
fn journals(world: &World) -> String {
    let trials = std::fs::read_dir(world.path("target/cutover/latest/trials")).unwrap();
    let texts = trials.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    texts.collect()
}

#[test]
fn accounts_that_have_uploaded_enough_raise_no_false_alarm() {
    let Some(world) = World::start("") else {
        return;
    };
    log_in(&world, TWO);
    // Six uploads are all that the two have, and these checks would do more.
    let mut arguments = vec!["validate"];
    for check in ["every_callback_shape", "a_duplicate", "smoke::"] {
        arguments.extend(["--check", check]);
    }
    let output = call(&world, &arguments, "battery staple").output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(!told.contains("FAIL"), "{told}");
    let journals = journals(&world);
    assert!(journals.contains("add accounts under [identity]"));
    assert!(
        !journals.contains("\"status\":429"),
        "the target was asked in vain"
    );
}

#[test]
fn accounts_that_were_used_up_before_raise_no_false_alarm() {
    let Some(world) = World::start("") else {
        return;
    };
    log_in(&world, TWO);
    let mut codes = Vec::new();
    for _ in 0..4 {
        let output = call(&world, &["smoke"], "battery staple").output().unwrap();
        let told = said(&output);
        assert!(!told.contains("NO-GO"), "{told}");
        codes.push(output.status.code());
    }
    // A smoke test uploads two documents, and the two accounts may upload six a day.
    assert_eq!(codes, [0, 0, 0, 3].map(Some));
    assert!(journals(&world).contains("other runs may have used"));
}

/// An identity provider whose tokens live so short that a run outlasts them; counts how often it gave one.
fn provider_of_short_lives(life: Duration) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let logins = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&logins);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            give_token(&mut stream.unwrap(), life);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (port, logins)
}

/// Answers one login with a token of the project that the pipeline trusts.
fn give_token(stream: &mut TcpStream, lifetime: Duration) {
    let mut request = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        request.read_line(&mut line).unwrap();
        if let Some(said) = line.to_lowercase().strip_prefix("content-length:") {
            length = said.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    request.read_exact(&mut body).unwrap();
    let given: Value = serde_json::from_slice(&body).unwrap();
    let email = given["email"].as_str().unwrap();
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let token = signed(&json!({
        "sub": uuid::Uuid::new_v5(&uuid::Uuid::nil(), email.as_bytes()), "email": email,
        "aud": "authenticated", "role": "authenticated", "exp": (since.unwrap() + lifetime).as_secs(),
    }));
    let answer = json!({"access_token": token}).to_string();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{answer}",
        answer.len()
    )
    .unwrap();
}

#[test]
fn accounts_log_in_again_in_a_run_that_outlasts_their_tokens() {
    let Some(world) = World::start("") else {
        return;
    };
    log_in(&world, TWO);
    // A token is renewed after half of its life, and none of these trials takes so long; all of them do.
    let (port, logins) = provider_of_short_lives(Duration::from_secs(40));
    let target = std::fs::read_to_string(world.path("target.toml")).unwrap();
    let supabase = format!(
        "supabase_url = \"http://127.0.0.1:{}\"\nanon_key",
        world.ports()[2]
    );
    let elsewhere = format!("supabase_url = \"http://127.0.0.1:{port}\"\nanon_key");
    assert!(target.contains(&supabase));
    world.write(&target.replace(&supabase, &elsewhere));
    let arguments = [
        "validate",
        "--check",
        "late_bytes_are_waited_for",
        "--check",
        "smoke::",
    ];
    let output = call(&world, &arguments, "battery staple").output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(!told.contains("FAIL"), "{told}");
    assert!(logins.load(Ordering::Relaxed) >= 4, "{told}");
}
