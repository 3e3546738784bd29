//! A PostgreSQL server for one test.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A server that listens on a Unix socket only, and is stopped when it is dropped.
///
/// The superuser `postgres` connects without a password.
#[derive(Debug)]
pub struct TestPostgres {
    server: Child,
    directory: TempDir,
}

impl TestPostgres {
    /// Starts a server from the directory of PostgreSQL's programs; it may not accept connections yet.
    pub fn start(programs: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let account = server_account();
        if let Some([user, group]) = account {
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
            chown(directory.path(), Some(user), Some(group)).unwrap();
        }
        let command = |name: &str| {
            let mut command = Command::new(programs.join(name));
            command.current_dir(directory.path()).stdin(Stdio::null());
            if let Some([user, group]) = account {
                command.uid(user).gid(group);
            }
            command
        };
        let initdb = command("initdb")
            .args(["--auth=trust", "--no-sync", "-U", "postgres", "-D", "data"])
            .output()
            .unwrap();
        assert!(initdb.status.success(), "{initdb:?}");
        let socket = format!("unix_socket_directories={}", directory.path().display());
        let server = command("postgres")
            .args(["-D", "data"])
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", &socket])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { server, directory }
    }

    /// The directory of the server's socket.
    pub fn socket_directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }
}

impl Drop for TestPostgres {
    fn drop(&mut self) {
        // SIGQUIT ends the server's children too. An error here must not hide the failure of the test.
        if kill_process(Pid::from_child(&self.server), Signal::QUIT).is_err() {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

/// The user and group of the server where the test runs as root, which PostgreSQL refuses.
fn server_account() -> Option<[u32; 2]> {
    let id = |option: &str| {
        let output = Command::new("id")
            .args([option, "postgres"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim().parse().unwrap()
    };
    let is_root = rustix::process::geteuid().is_root();
    is_root.then(|| [id("-u"), id("-g")])
}
