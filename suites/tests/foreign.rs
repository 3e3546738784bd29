//! A pipeline that cutover was not written for, in another language, is judged by its contract file alone.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a part may take to serve; far more than it does.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// The secret of the tokens.
const SECRET: &str = "a secret of the foreign pipeline's tests, of no use elsewhere";

/// The secret that its callbacks carry.
const CALLBACK_SECRET: &str = "a secret of callbacks";

/// What its defects are called, each with a part of the name of a check that must notice it.
const DEFECTS: [(&str, &str); 6] = [
    (
        "everybodys_chunks",
        "pipeline::a_document_is_found_only_when_complete",
    ),
    ("vectors_by_place", "pipeline::a_text_finds_itself_first"),
    (
        "vectors_invented",
        "pipeline::a_search_that_cannot_work_says_so",
    ),
    ("guests_welcome", "smoke::nobody_gets_in_without_a_token"),
    (
        "callbacks_unsigned",
        "pipeline::nobody_speaks_for_the_parser",
    ),
    (
        "bytes_unchecked",
        "pipeline::bytes_that_were_not_registered_are_never_found",
    ),
];

/// What the target file says of it, what is wrong instead, and a check that must notice that.
const UNTRUTHS: [(&str, &str, &str); 3] = [
    (
        "times = \"utc_without_zone\"",
        "times = \"zoned\"",
        "pipeline::a_job_is_shown_whole",
    ),
    (
        "sha256 = \"/document/digest\"\nocr",
        "sha256 = \"/digest\"\nocr",
        "pipeline::a_text_finds_itself_first",
    ),
    (
        "static_header = \"X-Parser-Token\"",
        "static_header = \"X-Other-Token\"",
        "pipeline::nobody_speaks_for_the_parser",
    ),
];

/// The foreign pipeline with its stand-ins, until it is dropped.
struct World {
    children: Vec<Child>,
    directory: TempDir,
    service_role_key: String,
}

impl World {
    /// Starts it; nothing where there is no Python to run it.
    fn start(defect: &str) -> Option<Self> {
        let python = Command::new("python3").arg("--version").output();
        if !python.is_ok_and(|output| output.status.success()) {
            return None;
        }
        let directory = TempDir::new().unwrap();
        let [anon_key, service_role_key] = ["anon", "service_role"].map(project_key);
        let mut world = Self {
            children: Vec::new(),
            directory,
            service_role_key,
        };
        let card = world.start_standins(&anon_key);
        let port = free_port();
        world.start_pipeline(&card, &anon_key, port, defect);
        world.write_target(&card, port);
        Some(world)
    }

    fn start_standins(&mut self, anon_key: &str) -> Value {
        let storage = self.directory.path().join("storage");
        fs::create_dir(&storage).unwrap();
        let settings = json!({
            "bind": "127.0.0.1", "ports": {}, "parser_key": "llx", "embedder_key": "sk",
            "anon_key": anon_key, "service_role_key": self.service_role_key, "jwt_secret": SECRET,
            "storage_dir": storage, "buckets": ["library"], "dimensions": 768, "max_batch": 64,
            "upload_url_ttl_ms": 12_000, "callback_token": CALLBACK_SECRET,
            "callback": {
                "auth": "static_header", "static_header": "X-Parser-Token",
                "signature_header": "X-Webhook-Signature", "secret_field": "webhook_secret",
            },
        });
        let mut child = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .arg("standins")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(settings.to_string().as_bytes()).unwrap();
        drop(stdin);
        let mut card = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        self.children.push(child);
        stdout.read_line(&mut card).unwrap();
        serde_json::from_str(&card).unwrap()
    }

    fn start_pipeline(&mut self, card: &Value, anon_key: &str, port: u16, defect: &str) {
        let at = |name: &str| {
            card[name]
                .as_str()
                .unwrap()
                .trim_end_matches('/')
                .to_owned()
        };
        let child = Command::new("python3")
            .arg(fixture("foreign/pipeline.py"))
            .env("PORT", port.to_string())
            .env("PUBLIC_URL", format!("http://127.0.0.1:{port}"))
            .env("ENVIRONMENT", "local")
            .env("CALLBACK_SECRET", CALLBACK_SECRET)
            .env("SUPABASE_URL", at("supabase"))
            .env("SUPABASE_ANON_KEY", anon_key)
            .env("SUPABASE_SERVICE_ROLE_KEY", &self.service_role_key)
            .env("LLAMAPARSE_BASE_URL", at("parser"))
            .env("LLAMAPARSE_API_KEY", "llx")
            .env("OPENAI_API_URL", at("embedder"))
            .env("OPENAI_API_KEY", "sk")
            .env("FOREIGN_DEFECT", defect)
            .envs([
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
        self.children.push(child);
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begin.elapsed() < SERVES_WITHIN,
                "the foreign pipeline never serves"
            );
            std::thread::yield_now();
        }
    }

    fn write_target(&self, card: &Value, port: u16) {
        let mut target = fs::read_to_string(fixture("foreign/target.toml")).unwrap();
        target = target.replace("127.0.0.1:4180", &format!("127.0.0.1:{port}"));
        for (name, fixed) in [
            ("parser", "http://127.0.0.1:4101"),
            ("embedder", "http://127.0.0.1:4102"),
            ("supabase", "http://127.0.0.1:4103"),
            ("control", "http://127.0.0.1:4104"),
        ] {
            let address = card[name].as_str().unwrap().trim_end_matches('/');
            target = target.replace(fixed, address);
        }
        fs::write(self.target(), target).unwrap();
    }

    /// Says something else of it than what is true.
    fn pretend(&self, truth: &str, untruth: &str) {
        let target = fs::read_to_string(self.target()).unwrap();
        assert!(target.contains(truth), "the target does not say {truth}");
        fs::write(self.target(), target.replace(truth, untruth)).unwrap();
    }

    fn target(&self) -> PathBuf {
        self.directory.path().join("target.toml")
    }

    fn cutover(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(arguments)
            .arg("--target")
            .arg(self.target())
            .arg("--policy")
            .arg(fixture("policies/black_box.toml"))
            .env("FOREIGN_JWT_SECRET", SECRET)
            .env("FOREIGN_SERVICE_ROLE_KEY", &self.service_role_key)
            .env("FOREIGN_CALLBACK_SECRET", CALLBACK_SECRET)
            .env_remove("NEXTEST_RUN_ID")
            .current_dir(self.directory.path())
            .output()
            .unwrap()
    }

    /// A validation says no, and blames this check.
    fn is_refused_by(&self, check: &str, why: &str) {
        let validated = self.cutover(&["validate", "--fail-fast", "--first", check]);
        let said = said(&validated);
        assert_eq!(validated.status.code(), Some(1), "{why}: {said}");
        assert!(said.contains(check), "{why}: {said}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for child in &mut self.children {
            // What has ended by itself needs no end.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures")
        .join(name)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn project_key(role: &str) -> String {
    let claims =
        json!({"iss": "supabase", "ref": "foreign", "role": role, "exp": 4_102_444_800_u64});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap()
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said));
    format!("{out}{err}")
}

#[test]
fn a_foreign_pipeline_passes_by_its_contract_alone() {
    let Some(world) = World::start("") else {
        return;
    };
    let doctor = world.cutover(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(0), "{}", said(&doctor));
    let validated = world.cutover(&["validate"]);
    assert_eq!(validated.status.code(), Some(0), "{}", said(&validated));
    assert!(said(&validated).contains("  GO "), "{}", said(&validated));
    let smoked = world.cutover(&["smoke"]);
    assert_eq!(smoked.status.code(), Some(0), "{}", said(&smoked));
}

#[test]
fn its_defects_are_caught() {
    for (defect, noticed_by) in DEFECTS {
        let Some(world) = World::start(defect) else {
            return;
        };
        world.is_refused_by(noticed_by, defect);
    }
}

#[test]
fn what_its_contract_says_is_held_against_it() {
    for (truth, untruth, noticed_by) in UNTRUTHS {
        let Some(world) = World::start("") else {
            return;
        };
        world.pretend(truth, untruth);
        world.is_refused_by(noticed_by, untruth);
    }
}
