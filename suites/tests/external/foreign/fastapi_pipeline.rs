//! The FastAPI pipeline as its developer starts it: PostgreSQL, one API, one worker, and the stand-ins of a run.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use cutover_harness::stack::Installation;
use cutover_test_support::{
    ReservedPort, TestHome, TestPostgres, TestProcess, output_text, wait_for,
};

use super::pipeline::{JWT_SECRET, KEYS, fixture, is_open, project_key};
use crate::requirement::python_environment;
use crate::test_home;

/// The name of the target file.
pub(super) const TARGET: &str = "target.toml";

/// The ports in the target file: the API, parser, embedder, Supabase and control.
const PORTS: [u16; 5] = [4280, 4201, 4202, 4203, 4204];

/// The running pipeline and its target file. The processes end before the database.
pub(super) struct FastApiPipeline {
    _api: TestProcess,
    _worker: TestProcess,
    _postgres: TestPostgres,
    pub(super) home: TestHome,
    ports: [ReservedPort; 5],
    _links: Vec<(&'static str, ReservedPort)>,
    environment: Vec<(&'static str, String)>,
}

impl FastApiPipeline {
    /// Starts the pipeline; an empty name is no defect.
    pub(super) fn start(defect: &str) -> Self {
        Self::start_with(defect, Vec::new())
    }

    /// Starts the pipeline so that it reaches its providers through links of cutover.
    pub(super) fn start_behind_links(defect: &str) -> Self {
        let links = ["parser", "embedder", "storage"];
        let links = links.map(|name| (name, ReservedPort::reserve()));
        Self::start_with(defect, Vec::from(links))
    }

    fn start_with(defect: &str, links: Vec<(&'static str, ReservedPort)>) -> Self {
        let home = test_home();
        let ports = PORTS.map(|_| ReservedPort::reserve());
        let postgres = TestPostgres::start(&Installation::find().unwrap().bin);
        let mut environment = environment(&ports, &postgres.socket_directory(), defect);
        let mut target = target_file(&ports);
        for (number, (name, link)) in links.iter().enumerate() {
            let provider = ports[number + 1].number();
            let (direct, through) = (at(provider), at(link.number()));
            for (_, value) in &mut environment {
                *value = value.replace(&direct, &through);
            }
            // The pipeline expects tokens of the address that it knows.
            let issuer = |address: &str| format!("issuer = \"{address}");
            target = target.replace(&issuer(&direct), &issuer(&through));
            let upstream = format!("127.0.0.1:{provider}");
            let listen = format!("127.0.0.1:{}", link.number());
            let link = format!("listen = \"{listen}\"\nupstream = \"{upstream}\"");
            target = format!("{target}\n[links.{name}]\n{link}\n");
        }
        home.write(TARGET, &target);
        let run = |module: &str| {
            let mut command = Command::new(python_environment());
            command
                .args(["-m", module])
                .current_dir(fixture("foreign/fastapi"))
                .envs(environment.iter().map(|(name, value)| (name, value)))
                .stdin(Stdio::null());
            command
        };
        // The server accepts connections a moment after its start.
        wait_for("the migration", || {
            let migrated = run("rag.migrate").output().unwrap();
            migrated.status.success().then_some(())
        });
        let start = |module: &str, log: &str| {
            let log = File::create(home.path(log)).unwrap();
            let mut command = run(module);
            command.stdout(log.try_clone().unwrap()).stderr(log);
            TestProcess::spawn(&mut command)
        };
        let pipeline = Self {
            _api: start("rag.api", "api.log"),
            _worker: start("rag.worker", "worker.log"),
            _postgres: postgres,
            home,
            ports,
            _links: links,
            environment,
        };
        let port = pipeline.ports[0].number();
        wait_for("the API", || is_open(port).then_some(()));
        pipeline
    }

    /// Calls cutover; `arguments` begin with the verb.
    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.home.command(arguments);
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        command.envs(environment).output().unwrap()
    }

    /// Calls cutover with the target file and a policy.
    pub(super) fn run_by(&self, policy: &str, arguments: &[&str]) -> Output {
        let policy = fixture(policy);
        let policy = policy.to_str().unwrap();
        let target = ["--target", TARGET, "--policy", policy];
        self.run(&[arguments, &target].concat())
    }

    /// Asserts that a validation with a check is a NO-GO because of it.
    pub(super) fn assert_no_go(&self, check: &str, defect: &str) {
        let validated = self.run(&[
            "validate",
            "--fail-fast",
            "--check",
            check,
            "--target",
            TARGET,
        ]);
        let text = output_text(&validated);
        assert_eq!(validated.status.code(), Some(1), "{defect}: {text}");
        assert!(text.contains(check), "{defect}: {text}");
    }
}

/// The URL of a port of this machine.
fn at(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The target file with other ports and the directory of the logs.
fn target_file(ports: &[ReservedPort; 5]) -> String {
    let target = fs::read_to_string(fixture("foreign/fastapi/target.toml")).unwrap();
    let pairs = PORTS.iter().zip(ports);
    pairs.fold(target, |target, (fixed, port)| {
        let address = format!("127.0.0.1:{}", port.number());
        target.replace(&format!("127.0.0.1:{fixed}"), &address)
    })
}

/// The variables of the pipeline and of cutover.
fn environment(
    ports: &[ReservedPort; 5],
    socket: &Path,
    defect: &str,
) -> Vec<(&'static str, String)> {
    let [api, parser, embedder, supabase, _] = ports.each_ref().map(|port| at(port.number()));
    // The host in the authority is there because sqlx requires one; the directory of the socket takes its place.
    let database = |role: &str, host: &str| {
        format!(
            "postgresql://{role}@{host}/postgres?host={}",
            socket.display()
        )
    };
    let mut environment = vec![
        ("PORT", ports[0].number().to_string()),
        ("PUBLIC_URL", api),
        ("LLAMAPARSE_BASE_URL", parser),
        ("OPENAI_API_URL", embedder),
        ("SUPABASE_URL", supabase),
        ("SUPABASE_ANON_KEY", project_key("anon")),
        ("SUPABASE_SERVICE_ROLE_KEY", project_key("service_role")),
        ("DATABASE_URL", database("rag_app", "")),
        ("DATABASE_URL_READONLY", database("rag_reader", "localhost")),
        ("MIGRATION_DATABASE_URL", database("postgres", "")),
        ("FOREIGN_DEFECT", defect.to_owned()),
    ];
    let fixed = [
        ("SUPABASE_JWT_SECRET", JWT_SECRET),
        ("CALLBACK_KEY", "a key of callback tokens"),
        ("ENVIRONMENT", "dev"),
        ("UPLOAD_TTL", "12"),
        ("POLL_INTERVAL", "0.2"),
        ("RETRY_BASE", "0.1"),
        ("RETRY_CAP", "1"),
        ("LEASE", "5"),
        ("PARSE_DEADLINE", "4"),
        ("PROVIDER_TIMEOUT", "2"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ];
    let fixed = fixed.into_iter().chain(KEYS);
    environment.extend(fixed.map(|(name, value)| (name, value.to_owned())));
    environment
}
