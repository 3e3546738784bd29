//! The foreign pipeline, started as its developer would: with the addresses of stand-ins that he does not serve.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use cutover_harness::jwt;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::waiting::wait_for;

/// The secret of the tokens.
const SECRET: &str = "a secret of the foreign pipeline's tests, of no use elsewhere";

/// The secret that its callbacks carry.
const CALLBACK_SECRET: &str = "a secret of callbacks";

/// The keys of the providers.
pub(crate) const KEYS: [(&str, &str); 2] = [
    ("LLAMAPARSE_API_KEY", "llx-of-the-foreign-pipeline"),
    ("OPENAI_API_KEY", "sk-of-the-foreign-pipeline"),
];

/// The stand-ins as `target.toml` has them, by name and port.
const STANDINS: [(&str, u16); 4] = [
    ("LLAMAPARSE_BASE_URL", 4101),
    ("OPENAI_API_URL", 4102),
    ("SUPABASE_URL", 4103),
    ("CONTROL", 4104),
];

/// The foreign pipeline and its target file, until they are dropped.
pub(crate) struct World {
    pipeline: Option<Child>,
    directory: TempDir,
    ports: [u16; 4],
    keys: [(&'static str, String); 2],
}

impl World {
    /// Starts it; nothing where there is no Python to run it.
    pub(crate) fn start(defect: &str) -> Option<Self> {
        let python = Command::new("python3").arg("--version").output();
        if !python.is_ok_and(|output| output.status.success()) {
            return None;
        }
        let directory = TempDir::new().unwrap();
        fs::create_dir(directory.path().join("stacks")).unwrap();
        let mut world = Self {
            pipeline: None,
            directory,
            ports: STANDINS.map(|_| free_port()),
            keys: [
                ("SUPABASE_ANON_KEY", project_key("anon")),
                ("SUPABASE_SERVICE_ROLE_KEY", project_key("service_role")),
            ],
        };
        let port = free_port();
        world.write_target(port);
        world.start_pipeline(port, defect);
        Some(world)
    }

    fn start_pipeline(&mut self, port: u16, defect: &str) {
        let addresses = STANDINS.iter().zip(self.ports);
        let addresses =
            addresses.map(|((name, _), port)| (name, format!("http://127.0.0.1:{port}")));
        let child = Command::new("python3")
            .arg(fixture("foreign/pipeline.py"))
            .envs(addresses)
            .envs(self.secrets())
            .envs([
                ("PORT", port.to_string()),
                ("PUBLIC_URL", format!("http://127.0.0.1:{port}")),
            ])
            .envs([
                ("ENVIRONMENT", "local"),
                ("CALLBACK_SECRET", CALLBACK_SECRET),
                ("FOREIGN_DEFECT", defect),
                ("UPLOAD_TTL_MS", "12000"),
                ("POLL_INTERVAL_MS", "50"),
                ("RETRY_BASE_MS", "100"),
                ("RETRY_CAP_MS", "1000"),
                ("PARSE_DEADLINE_MS", "4000"),
                ("PROVIDER_TIMEOUT_MS", "2000"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.pipeline = Some(child);
        wait_for("the foreign pipeline", || is_open(port).then_some(()));
    }

    fn write_target(&self, port: u16) {
        let mut target = fs::read_to_string(fixture("foreign/target.toml")).unwrap();
        let mut put = |fixed: u16, port: u16| {
            target = target.replace(&format!("127.0.0.1:{fixed}"), &format!("127.0.0.1:{port}"));
        };
        put(4180, port);
        for ((_, fixed), port) in STANDINS.iter().zip(self.ports) {
            put(*fixed, port);
        }
        self.write(&target);
    }

    /// Writes another target file in the place of the one that there is.
    pub(crate) fn write(&self, target: &str) {
        fs::write(self.path("target.toml"), target).unwrap();
    }

    /// Says something else of it than what is true.
    pub(crate) fn pretend(&self, truth: &str, untruth: &str) {
        let target = fs::read_to_string(self.path("target.toml")).unwrap();
        assert!(target.contains(truth), "the target does not say {truth}");
        self.write(&target.replace(truth, untruth));
    }

    /// A file or directory of this world.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The ports of parser, embedder, Supabase and control.
    pub(crate) fn ports(&self) -> [u16; 4] {
        self.ports
    }

    fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        let keys = self.keys.iter().map(|(name, key)| (*name, key.as_str()));
        keys.chain(KEYS).chain([
            ("SUPABASE_JWT_SECRET", SECRET),
            ("FOREIGN_CALLBACK_SECRET", CALLBACK_SECRET),
        ])
    }

    /// A call of cutover about the target; `arguments` begin with the verb.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutover"));
        command
            .args(arguments)
            .arg("--target")
            .arg(self.path("target.toml"))
            .envs(self.secrets())
            .env("TMPDIR", self.path("stacks"))
            .env_remove("NEXTEST_RUN_ID")
            .env_remove("CUTOVER_RUN_ID")
            .current_dir(self.directory.path());
        command
    }

    /// A call of cutover that asks for a verdict, to its end.
    pub(crate) fn cutover(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        let policy = fixture("policies/black_box.toml");
        command.arg("--policy").arg(policy).output().unwrap()
    }

    /// A validation says no, and blames this check.
    pub(crate) fn is_refused_by(&self, check: &str, why: &str) {
        let validated = self.cutover(&["validate", "--fail-fast", "--first", check]);
        let said = said(&validated);
        assert_eq!(validated.status.code(), Some(1), "{why}: {said}");
        assert!(said.contains(check), "{why}: {said}");
    }

    /// The pipeline alone is there: nobody serves stand-ins, and nothing is left of those that did.
    pub(crate) fn must_be_clean(&self) {
        assert!(!self.ports.into_iter().any(is_open), "stand-ins are left");
        let left: Vec<_> = fs::read_dir(self.path("stacks")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(pipeline) = &mut self.pipeline {
            // What has ended by itself needs no end.
            let _ = pipeline.kill();
            let _ = pipeline.wait();
        }
    }
}

/// Whether somebody listens there.
pub(crate) fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Tells a process something.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Everything that a call printed.
pub(crate) fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
    format!("{out}{err}")
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures")
        .join(name)
}

/// A port below those that the kernel gives to outgoing connections, so that it stays free until it is used.
fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| rand::random_range(20_000..32_000));
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(is_free).unwrap()
}

fn project_key(role: &str) -> String {
    signed(&json!({"iss": "supabase", "ref": "foreign", "role": role, "exp": 4_102_444_800_u64}))
}

/// A token that says this, signed as the pipeline's project signs them.
pub(crate) fn signed(claims: &Value) -> String {
    jwt::sign(claims, SECRET.as_bytes()).unwrap()
}
