//! The foreign pipeline as its developer starts it: with the addresses of stand-ins that a run serves.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cutover_harness::jwt;
use cutover_test_support::{ReservedPort, TestHome, TestProcess, output_text, wait_for};
use serde_json::{Value, json};

use crate::test_home;

/// The secret that signs tokens.
pub(super) const JWT_SECRET: &str = "a secret for the tests of the foreign pipeline only";

/// The secret that its callbacks have in a header.
const CALLBACK_SECRET: &str = "a secret of callbacks";

/// The API keys of the providers.
pub(crate) const KEYS: [(&str, &str); 2] = [
    ("LLAMAPARSE_API_KEY", "llx-of-the-foreign-pipeline"),
    ("OPENAI_API_KEY", "sk-of-the-foreign-pipeline"),
];

/// The name of the target file.
const TARGET: &str = "target.toml";

/// The port of the pipeline in its target file.
const PORT: u16 = 4180;

/// The stand-ins in the target file: the variable with their address, and their port.
const STANDINS: [(&str, u16); 4] = [
    ("LLAMAPARSE_BASE_URL", 4101),
    ("OPENAI_API_URL", 4102),
    ("SUPABASE_URL", 4103),
    ("CONTROL", 4104),
];

/// The running pipeline and its target file.
pub(crate) struct ForeignPipeline {
    _process: TestProcess,
    pub(crate) home: TestHome,
    _port: ReservedPort,
    standin_ports: [ReservedPort; 4],
    project_keys: [(&'static str, String); 2],
}

impl ForeignPipeline {
    /// Starts the pipeline without a defect.
    pub(crate) fn start() -> Self {
        Self::start_with_defect("")
    }

    /// Starts the pipeline with one of its defects.
    pub(crate) fn start_with_defect(defect: &str) -> Self {
        let home = test_home();
        let port = ReservedPort::reserve();
        let standin_ports = STANDINS.map(|_| ReservedPort::reserve());
        let project_keys = [
            ("SUPABASE_ANON_KEY", project_key("anon")),
            ("SUPABASE_SERVICE_ROLE_KEY", project_key("service_role")),
        ];
        home.write(TARGET, &target_file(&port, &standin_ports));
        let mut command = pipeline_command(port.number(), defect);
        for ((variable, _), port) in STANDINS.iter().zip(&standin_ports) {
            command.env(variable, format!("http://127.0.0.1:{}", port.number()));
        }
        let process = TestProcess::spawn(command.envs(secrets(&project_keys)));
        wait_for("the foreign pipeline", || {
            is_open(port.number()).then_some(())
        });
        Self {
            _process: process,
            home,
            _port: port,
            standin_ports,
            project_keys,
        }
    }

    /// The text of the target file.
    pub(crate) fn target(&self) -> String {
        self.home.read(TARGET)
    }

    /// Writes another target file.
    pub(crate) fn write_target(&self, target: &str) {
        self.home.write(TARGET, target);
    }

    /// Replaces a text of the target file.
    pub(crate) fn replace_in_target(&self, old: &str, new: &str) {
        let target = self.target();
        assert!(target.contains(old), "the target file has no '{old}'");
        self.write_target(&target.replace(old, new));
    }

    /// The ports of parser, embedder, Supabase and control.
    pub(crate) fn standin_ports(&self) -> [u16; 4] {
        self.standin_ports.each_ref().map(ReservedPort::number)
    }

    /// Whether all stand-ins accept connections.
    pub(crate) fn standins_are_served(&self) -> bool {
        self.standin_ports().into_iter().all(is_open)
    }

    /// A call of cutover with the target; `arguments` begin with the verb.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command(arguments);
        command
            .args(["--target", TARGET])
            .envs(secrets(&self.project_keys));
        command
    }

    /// Calls cutover with the policy for targets that are reached over HTTP only.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        let policy = fixture("policies/black_box.toml");
        command.arg("--policy").arg(policy).output().unwrap()
    }

    /// Starts a run, and waits for its first trial.
    pub(crate) fn start_run(&self) -> TestProcess {
        let mut command = self.command(&["validate"]);
        let mut run = TestProcess::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()));
        self.home.wait_for_first_trial(&mut run);
        run
    }

    /// Asserts that a validation is a NO-GO because of a check.
    pub(crate) fn assert_no_go(&self, check: &str, why: &str) {
        let validated = self.run(&["validate", "--fail-fast", "--run-first", check]);
        let text = output_text(&validated);
        assert_eq!(validated.status.code(), Some(1), "{why}: {text}");
        assert!(text.contains(check), "{why}: {text}");
    }

    /// Asserts that no stand-in is served, and that runs have left no file.
    pub(crate) fn assert_nothing_left(&self) {
        let ports = self.standin_ports();
        assert!(!ports.into_iter().any(is_open), "stand-ins are left");
        assert_eq!(self.home.leftovers(), [""; 0]);
    }
}

/// The target file of the pipeline with these ports in the place of its own.
fn target_file(port: &ReservedPort, standin_ports: &[ReservedPort; 4]) -> String {
    let target = fs::read_to_string(fixture("foreign/target.toml")).unwrap();
    let standins = STANDINS.iter().map(|(_, fixed)| *fixed);
    let ports = standins.zip(standin_ports).chain([(PORT, port)]);
    ports.fold(target, |target, (fixed, port)| {
        let address = format!("127.0.0.1:{}", port.number());
        target.replace(&format!("127.0.0.1:{fixed}"), &address)
    })
}

fn pipeline_command(port: u16, defect: &str) -> Command {
    let mut command = Command::new("python3");
    command
        .arg(fixture("foreign/pipeline.py"))
        .env("PORT", port.to_string())
        .env("PUBLIC_URL", format!("http://127.0.0.1:{port}"))
        .env("CALLBACK_SECRET", CALLBACK_SECRET)
        .env("FOREIGN_DEFECT", defect)
        .envs([
            ("ENVIRONMENT", "local"),
            ("UPLOAD_TTL_MS", "12000"),
            ("POLL_INTERVAL_MS", "50"),
            ("RETRY_BASE_MS", "100"),
            ("RETRY_CAP_MS", "1000"),
            ("PARSE_DEADLINE_MS", "4000"),
            ("PROVIDER_TIMEOUT_MS", "2000"),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// The variables of all secrets, for the pipeline and for cutover.
pub(super) fn secrets<'a>(
    project_keys: &'a [(&'static str, String)],
) -> impl Iterator<Item = (&'static str, &'a str)> {
    let keys = project_keys.iter().map(|(name, key)| (*name, key.as_str()));
    keys.chain(KEYS).chain([
        ("SUPABASE_JWT_SECRET", JWT_SECRET),
        ("FOREIGN_CALLBACK_SECRET", CALLBACK_SECRET),
    ])
}

pub(super) fn is_open(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures")
        .join(name)
}

pub(super) fn project_key(role: &str) -> String {
    sign(&json!({"iss": "supabase", "ref": "foreign", "role": role, "exp": 4_102_444_800_u64}))
}

/// A token with these claims that the pipeline accepts.
pub(crate) fn sign(claims: &Value) -> String {
    jwt::sign(claims, JWT_SECRET.as_bytes()).unwrap()
}
