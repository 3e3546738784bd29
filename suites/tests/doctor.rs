//! The doctor says how far it came on the way to a target: name, connection, certificate, token.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cutover_harness::jwt;
use serde_json::json;
use tempfile::TempDir;

/// Serves nothing but its certificate, on a port that it prints.
const SERVER: &str = "
import http.server, ssl
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('leaf.pem', 'leaf.key')
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
";

/// An authority, and a certificate that it gives to localhost for a hundred days.
const CERTIFICATES: &str = "
set -e
curve='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
openssl req -x509 $curve -keyout ca.key -out ca.pem -days 200 -subj /CN=test
openssl req $curve -keyout leaf.key -out leaf.csr -subj /CN=localhost
printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > leaf.ext
openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 100 -extfile leaf.ext
";

/// An HTTPS server, until it is dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts it in a directory with its certificates; nothing where there is no Python or no openssl.
    fn start(directory: &Path) -> Option<Self> {
        let made = Command::new("sh")
            .args(["-c", CERTIFICATES])
            .current_dir(directory)
            .stderr(Stdio::null())
            .status();
        if !made.is_ok_and(|status| status.success()) {
            return None;
        }
        let child = Command::new("python3")
            .args(["-c", SERVER])
            .current_dir(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.ok()?;
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Some(Self { child, port })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What has ended by itself needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A token of a user that expired long ago, or in the far future.
fn token(user: u128, expires: u64) -> String {
    let claims = json!({
        "sub": uuid::Uuid::from_u128(user), "exp": expires, "iss": "somebody", "aud": "authenticated",
        "role": "authenticated",
    });
    jwt::sign(&claims, b"a secret that nobody trusts").unwrap()
}

/// What the doctor says of a target at this address; it trusts `authority`, or nobody.
fn doctor(directory: &Path, api: &str, authority: Option<&str>) -> String {
    let target = format!(
        "schema = 1\nname = \"t\"\nclass = \"local\"\n[api]\nurl = \"{api}\"\n[identity]\n\
         tokens = [{{ env = \"TOKEN_A\" }}, {{ env = \"TOKEN_B\" }}]\n"
    );
    fs::write(directory.join("target.toml"), target).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cutover"))
        .args(["doctor", "--target", "target.toml"])
        .current_dir(directory)
        .env("TOKEN_A", token(1, 4_102_444_800))
        .env("TOKEN_B", token(2, 1_000_000_000))
        .envs(authority.map(|file| ("SSL_CERT_FILE", directory.join(file))))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_step_of_the_way_is_told_by_itself() {
    let directory = TempDir::new().unwrap();
    let said = doctor(directory.path(), "https://nowhere.invalid", None);
    assert!(
        said.contains("TROUBLE  api, name: resolve 'nowhere.invalid'"),
        "{said}"
    );
    assert!(
        !said.contains("api, connection") && !said.contains("version"),
        "{said}"
    );
    let said = doctor(directory.path(), "http://127.0.0.1:1", None);
    assert!(
        said.contains("ok       api, name: 127.0.0.1 is 127.0.0.1"),
        "{said}"
    );
    assert!(
        said.contains("TROUBLE  api, connection: connect to 127.0.0.1:1"),
        "{said}"
    );
    assert!(
        said.contains("ok       token: token 1 says sub 00000000-0000-0000-0000-000000000001, role authenticated"),
        "{said}"
    );
    assert!(
        said.contains("it expires at 2100-01-01T00:00:00Z"),
        "{said}"
    );
    assert!(said.contains("TROUBLE  token: token 2 says"), "{said}");
}

#[test]
fn a_certificate_is_told_by_its_end_and_a_strange_one_is_trouble() {
    let directory = TempDir::new().unwrap();
    let Some(server) = Server::start(directory.path()) else {
        return;
    };
    let api = format!("https://localhost:{}", server.port);
    let said = doctor(directory.path(), &api, Some("ca.pem"));
    assert!(
        said.contains("ok       api, TLS: the certificate is valid until 20"),
        "{said}"
    );
    assert!(said.contains("for 99 more days"), "{said}");
    let said = doctor(directory.path(), &api, None);
    assert!(
        said.contains("TROUBLE  api, TLS: complete the TLS handshake with"),
        "{said}"
    );
    assert!(!said.contains("version"), "{said}");
}
