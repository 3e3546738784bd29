//! A PostgreSQL server for one test, on its own Unix socket.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use cutover_stack::Installation;

/// A server that stops when this value is dropped; its directory is deleted.
pub(crate) struct Cluster {
    server: Child,
    directory: tempfile::TempDir,
}

impl Cluster {
    /// Starts a server; `None` if PostgreSQL is not installed.
    pub(crate) async fn start() -> Option<(Self, PgPool)> {
        let installation = match Installation::find() {
            Ok(installation) => installation,
            Err(error) => {
                println!("SKIPPED: PostgreSQL is not installed: {error}");
                return None;
            }
        };
        let directory = tempfile::tempdir().unwrap();
        let program = |name: &str| command(&installation.bin.join(name), directory.path());
        let made = program("initdb")
            .args(["--auth=trust", "--no-sync", "-U", "postgres", "-D", "data"])
            .output();
        let made = made.unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let socket = format!("unix_socket_directories={}", directory.path().display());
        let server = program("postgres")
            .args([
                "-D",
                "data",
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
                "-c",
                &socket,
            ])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pool = connect(directory.path()).await;
        Some((Self { server, directory }, pool))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(self.directory.path());
    }
}

async fn connect(directory: &Path) -> PgPool {
    let options = PgConnectOptions::new_without_pgpass()
        .socket(directory)
        .username("postgres");
    let options = options.database("postgres");
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .connect_lazy_with(options);
    let started = Instant::now();
    while let Err(error) = sqlx::query("SELECT 1").execute(&pool).await {
        assert!(started.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pool
}

/// A command in a directory. Root runs it as the user postgres, because PostgreSQL refuses to run as root.
fn command(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if rustix::process::geteuid().is_root() {
        let [user, group] = ["-u", "-g"].map(|kind| {
            let id = Command::new("id")
                .args([kind, "postgres"])
                .output()
                .unwrap()
                .stdout;
            String::from_utf8(id).unwrap().trim().parse().unwrap()
        });
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(directory, Some(user), Some(group)).unwrap();
        command.uid(user).gid(group);
    }
    command
}
