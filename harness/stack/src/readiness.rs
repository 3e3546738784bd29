//! The condition under which a service counts as ready, polled after its start.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::log;
use super::system::Endpoints;

/// The timeout of one poll over the network.
const POLL_TIMEOUT: Duration = Duration::from_millis(500);

/// The condition under which a service counts as ready.
#[derive(Clone, Debug)]
pub(crate) enum Readiness {
    /// `GET /health` returns 200.
    Health(SocketAddr),
    /// The stand-ins have written their endpoints to the log.
    Endpoints,
    /// PostgreSQL answers a connection with an authentication request.
    Database(SocketAddr),
    /// PostgreSQL's lock file contains the status that `pg_ctl` waits for.
    Postmaster(PathBuf),
}

impl Readiness {
    /// Whether the condition is met now; the log of the current run begins at byte `from`.
    pub(crate) async fn is_met(&self, pid: u32, log: &Path, from: u64) -> bool {
        match self {
            Self::Health(address) => timeout(POLL_TIMEOUT, is_healthy(*address))
                .await
                .is_ok_and(|answer| answer.unwrap_or(false)),
            Self::Endpoints => endpoints_in(log, from).is_some(),
            Self::Database(address) => timeout(POLL_TIMEOUT, requests_authentication(*address))
                .await
                .is_ok_and(|answer| answer.unwrap_or(false)),
            Self::Postmaster(lock_file) => {
                std::fs::read_to_string(lock_file).is_ok_and(|text| postmaster_is_ready(&text, pid))
            }
        }
    }
}

/// The endpoints that the stand-ins have written to their log after byte `from`.
pub(crate) fn endpoints_in(path: &Path, from: u64) -> Option<Endpoints> {
    let text = log::since(path, from);
    // A line without a line break is incomplete.
    let complete = text.rsplit_once('\n')?.0;
    complete
        .lines()
        .rev()
        .filter_map(|line| serde_json::from_str::<Endpoints>(line).ok())
        .find(|endpoints| !endpoints.is_empty())
}

/// Checks the PID too, because the lock file may be left over from an earlier server.
fn postmaster_is_ready(lock_file: &str, pid: u32) -> bool {
    let mut lines = lock_file.lines();
    lines.next() == Some(&pid.to_string()) && lines.nth(6).map(str::trim) == Some("ready")
}

/// Sends the request without an HTTP client: a start polls every few milliseconds,
/// and the creation of a client would take longer than all the polls together.
async fn is_healthy(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await?;
    Ok(&status == b"HTTP/1.1 200")
}

/// Connects as the superuser: a server that is starting or recovering refuses, a ready one requests the password.
async fn requests_authentication(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let parameters = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    stream
        .write_u32(u32::try_from(parameters.len()).unwrap_or_default() + 4)
        .await?;
    stream.write_all(parameters).await?;
    Ok(stream.read_u8().await? == b'R')
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_lock_file_of_another_server_is_ignored() {
        let lock_file =
            "42\n/tmp/x\n1795486321\n21987\n\n127.0.0.1\n 10011132         4\nready   \n";
        assert!(postmaster_is_ready(lock_file, 42));
        assert!(!postmaster_is_ready(lock_file, 43));
        assert!(!postmaster_is_ready(
            &lock_file.replace("ready", "starting"),
            42
        ));
    }

    #[test]
    fn the_last_complete_line_with_endpoints_is_used() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("standins.log");
        let line = |port: u16| {
            let url = format!("http://127.0.0.1:{port}/");
            serde_json::json!({"parser": url, "embedder": url, "supabase": url, "control": url})
        };
        std::fs::write(&path, format!("hello\n{}\n{}", line(1), line(2))).expect("write");
        assert_eq!(
            endpoints_in(&path, 0).expect("endpoints")["parser"].port(),
            Some(1)
        );
        assert_eq!(endpoints_in(&path, 7), None);
    }

    #[tokio::test]
    async fn only_the_status_200_is_healthy() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
            let address = listener.local_addr().expect("an address");
            let server = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.expect("accept");
                let mut request = [0; 512];
                let _ = stream.read(&mut request).await.expect("read");
                stream.write_all(answer.as_bytes()).await.expect("write");
            });
            assert_eq!(is_healthy(address).await.expect("an answer"), expected);
            server.await.expect("the server");
        }
    }
}
