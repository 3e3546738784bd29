//! `cutover doctor` reports the TLS certificate of a target.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use cutover_test_support::{TestHome, TestProcess};

use crate::{Tests, test_home, tests};

pub(crate) const TESTS: &Tests =
    tests![the_expiry_of_a_certificate_is_reported_and_an_unknown_authority_is_refused];

/// An HTTPS server in the directory of its certificate; prints its port.
const SERVER: &str = "
import http.server, ssl
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('leaf.pem', 'leaf.key')
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
";

/// Creates an authority, and its certificate for localhost that is valid for a hundred days.
const CERTIFICATES: &str = "
set -e
curve='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
openssl req -x509 $curve -keyout ca.key -out ca.pem -days 200 -subj /CN=test
openssl req $curve -keyout leaf.key -out leaf.csr -subj /CN=localhost
printf 'subjectAltName=DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > leaf.ext
openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 100 -extfile leaf.ext
";

/// Starts an HTTPS server in the working directory, and returns its port.
fn start_server(home: &TestHome) -> (TestProcess, u16) {
    let created = Command::new("sh")
        .args(["-c", CERTIFICATES])
        .current_dir(home.path(""))
        .output()
        .unwrap();
    assert!(created.status.success(), "{created:?}");
    let mut server = TestProcess::spawn(
        Command::new("python3")
            .args(["-c", SERVER])
            .current_dir(home.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::null()),
    );
    let mut line = String::new();
    let mut stdout = BufReader::new(server.take_stdout());
    stdout.read_line(&mut line).unwrap();
    let port = line.trim().parse().unwrap();
    (server, port)
}

/// What the doctor prints about the server if it trusts the authority in this file.
fn doctor(home: &TestHome, authority: Option<&str>) -> String {
    let output = home
        .command(["doctor", "--target", "target.toml"])
        .env("SECRET", "a secret for this test only, of 32 bytes or more")
        .envs(authority.map(|file| ("SSL_CERT_FILE", home.path(file))))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stdout).unwrap()
}

fn the_expiry_of_a_certificate_is_reported_and_an_unknown_authority_is_refused() {
    let home = test_home();
    let (_server, port) = start_server(&home);
    let target = format!(
        "schema = 1\nname = \"t\"\nclass = \"local\"\n[api]\nurl = \"https://localhost:{port}\"\n\
         [identity.mint]\nsecret = {{ env = \"SECRET\" }}\nissuer = \"x\"\n"
    );
    home.write("target.toml", &target);
    let report = doctor(&home, Some("ca.pem"));
    assert!(
        report.contains("ok      api, TLS: the certificate is valid until 20"),
        "{report}"
    );
    assert!(report.contains("for 99 more days"), "{report}");
    let report = doctor(&home, None);
    assert!(
        report.contains("FAILED  api, TLS: shake hands with"),
        "{report}"
    );
    assert!(!report.contains("version"), "{report}");
}
