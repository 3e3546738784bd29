//! `cutover doctor` reports each step of the connection to a target: name, connection, token.

use cutover_harness::jwt;
use cutover_test_support::TestHome;
use serde_json::json;

use crate::test_home;

/// A token of a user that expires at this second of Unix time.
fn token(user: u128, expires: u64) -> String {
    let claims = json!({
        "sub": uuid::Uuid::from_u128(user), "exp": expires, "iss": "test", "aud": "authenticated",
        "role": "authenticated",
    });
    jwt::sign(&claims, b"a secret that no service knows").unwrap()
}

/// What the doctor prints about a target at this address, whose second token has expired.
fn doctor(home: &TestHome, api: &str) -> String {
    let target = format!(
        "schema = 1\nname = \"t\"\nclass = \"local\"\n[api]\nurl = \"{api}\"\n[identity]\n\
         tokens = [{{ env = \"TOKEN_A\" }}, {{ env = \"TOKEN_B\" }}]\n"
    );
    home.write("target.toml", &target);
    let output = home
        .command(["doctor", "--target", "target.toml"])
        .env("TOKEN_A", token(1, 4_102_444_800))
        .env("TOKEN_B", token(2, 1_000_000_000))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_name_that_does_not_resolve_ends_the_connection_steps() {
    let report = doctor(&test_home(), "https://nowhere.invalid");
    assert!(
        report.contains("FAILED  api, DNS: resolve 'nowhere.invalid'"),
        "{report}"
    );
    assert!(
        !report.contains("api, TCP") && !report.contains("version"),
        "{report}"
    );
}

#[test]
fn a_refused_connection_and_an_expired_token_are_reported_separately() {
    let report = doctor(&test_home(), "http://127.0.0.1:1");
    for line in [
        "ok      api, DNS: 127.0.0.1 resolves to 127.0.0.1",
        "FAILED  api, TCP: connect to 127.0.0.1:1",
        "ok      token: token 1 has sub 00000000-0000-0000-0000-000000000001, role authenticated",
        "it expires at 2100-01-01T00:00:00Z",
        "FAILED  token: token 2 has",
    ] {
        assert!(report.contains(line), "'{line}' is not in: {report}");
    }
}

#[test]
fn all_secrets_that_cannot_be_read_are_reported_at_once() {
    let home = test_home();
    let target = "schema = 1\nname = 't'\nclass = 'local'\n[api]\nurl = 'http://127.0.0.1:1'\n\
        [identity]\ntokens = [{ env = 'NO_TOKEN_A' }, { env = 'NO_TOKEN_B' }]\n\
        [database]\nurl = { env = 'NO_DATABASE' }\n\
        [storage]\nsupabase_url = 'http://127.0.0.1:1'\nservice_role_key = { file = '/does/not/exist' }\n";
    home.write("target.toml", target);
    let output = home.run(["doctor", "--target", "target.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let report = String::from_utf8(output.stdout).unwrap();
    for key in [
        "'identity.tokens[0]'",
        "'identity.tokens[1]'",
        "'database.url'",
        "'storage.service_role_key'",
    ] {
        assert!(report.contains(key), "{key} is not in: {report}");
    }
}

#[test]
fn a_log_or_a_process_that_cannot_be_read_is_reported() {
    let home = test_home();
    let target = "schema = 1\nname = 't'\nclass = 'local'\n[api]\nurl = 'http://127.0.0.1:1'\n\
        [identity.mint]\nsecret = { env = 'SECRET' }\nissuer = 'i'\n\
        [logs]\nsources = [{ service = 'api', file = '/does/not/exist' },\n\
        { service = 'worker', command = ['echo', '{since}'] }]\n\
        [resources]\nsources = [{ service = 'api', pid_file = '/does/not/exist' }]\n";
    home.write("target.toml", target);
    let output = home
        .command(["doctor", "--target", "target.toml"])
        .env("SECRET", "a secret of the identity provider")
        .output()
        .unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    for line in [
        "FAILED  logs: read the log of api from '/does/not/exist'",
        "correct [logs] sources",
        "FAILED  resources: read the PID file '/does/not/exist'",
        "correct [resources] sources",
        "ok      logs: the log of worker can be read",
    ] {
        assert!(report.contains(line), "'{line}' is not in: {report}");
    }
}
