//! Every command in the README and in docs/guide works as written.
//!
//! A command is a line of a fenced block marked `console`, `sh` or `yaml` that calls `cutover`, cargo
//! or another program. A call of `cutover`, and of `cargo run --release --`, runs the built program in
//! a directory of its own. What a test cannot run is listed in [`NOT_RUN`] with the reason.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Commands that are not run, by their beginning, and why.
const NOT_RUN: [(&str, &str); 15] = [
    ("cargo test", "runs this test"),
    ("apt ", "installs packages"),
    ("brew ", "installs packages"),
    ("git clone ", "needs a network"),
    ("cargo install ", "builds the program a second time"),
    ("fixtures/images/build", "needs Docker"),
    ("cutover validate --stack containers", "needs Docker"),
    ("export ", "the test sets the variables"),
    ("cutover load ", "its arguments are quoted for a shell"),
    ("cutover merge ", "its arguments are quoted for a shell"),
    ("cutover compare ", "takes many runs"),
    ("cutover baseline save ", "the page needs no run before it"),
    ("cutover baseline show ", "the page needs no run before it"),
    (
        "cutover validate --baseline ",
        "the page needs a baseline before it",
    ),
    (
        "cutover init --learn",
        "the tests of the FastAPI pipeline run it",
    ),
];

/// A whole validation takes half a minute, so the smoke suite stands for it.
const PROFILE: &str = "--profile smoke";

/// Commands that are run with other arguments: the command, the addition, and its exit code.
///
/// A partial run is never a GO: what the filter leaves out is missing. The local stack gives no access to
/// its database, so a smoke test of it is at most CONDITIONAL.
const ADDITIONS: [(&str, &str, i32); 11] = [
    ("cutover validate", PROFILE, 0),
    (
        "cutover validate --defect shared-claim",
        "--check several_workers_do_each_job_once::two",
        1,
    ),
    ("cutover validate --target cutover.toml", PROFILE, 0),
    (
        "cutover validate --target cutover.toml --strict --quiet",
        PROFILE,
        4,
    ),
    (
        "cutover validate --target cutover.toml --profile quick",
        "--check the_service_is_alive_and_ready",
        3,
    ),
    (
        "cutover validate --target cutover.toml --fail-fast",
        PROFILE,
        0,
    ),
    (
        "cutover validate --target cutover.toml --check a_bad_body_is_refused",
        "",
        3,
    ),
    // The run that is judged again is a partial one, and of another profile.
    ("cutover judge target/cutover/latest", "", JUDGED),
    (
        "cutover judge target/cutover/latest --policy fixtures/policies/black_box.toml",
        "",
        JUDGED,
    ),
    ("cutover doctor --target production.toml", "", 0),
    (
        "cutover smoke --target production.toml --expect-commit 4f2a9c1",
        "",
        0,
    ),
];

/// The exit code of a command that gives the verdict of the last run once more.
const JUDGED: i32 = -1;

/// The table of a target file in which the local stack differs from the default contract.
const LIMITS: &str = "[contract.limits]";

/// The pages of a reader who meets cutover, in the order of reading.
const FIRST_PAGES: [&str; 3] = [
    "docs/guide/first-run.md",
    "docs/guide/reading-a-report.md",
    "README.md",
];

/// The pages of a reader with a pipeline, in the order of reading.
const NEXT_PAGES: [&str; 7] = [
    "docs/guide/your-pipeline.md",
    "docs/guide/first-verdict.md",
    "docs/guide/ci.md",
    "docs/guide/production.md",
    "docs/guide/load.md",
    "docs/guide/baselines.md",
    "docs/guide/waivers.md",
];

#[test]
fn the_commands_of_the_readme_and_the_first_pages_work() {
    Reader::new(&FIRST_PAGES).run();
}

#[test]
fn the_commands_of_the_pages_about_your_pipeline_work() {
    Reader::new(&NEXT_PAGES).run();
}

#[test]
fn every_page_of_the_guide_is_tested() {
    for entry in fs::read_dir(repository().join("docs/guide")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let page = format!("docs/guide/{name}");
        let mut pages = FIRST_PAGES.into_iter().chain(NEXT_PAGES);
        assert!(pages.any(|tested| tested == page), "{page}");
    }
}

#[test]
fn every_exception_is_about_a_command() {
    let pages = FIRST_PAGES.into_iter().chain(NEXT_PAGES);
    let texts = pages.map(|page| fs::read_to_string(repository().join(page)).unwrap());
    let commands: Vec<_> = texts.flat_map(|text| commands(&text)).collect();
    for (start, _) in NOT_RUN {
        let mut commands = commands.iter();
        assert!(
            commands.any(|command| command.starts_with(start)),
            "{start}"
        );
    }
    for (command, ..) in ADDITIONS {
        assert!(commands.iter().any(|other| other == command), "{command}");
    }
}

#[test]
fn every_link_of_the_documentation_leads_to_a_file() {
    let root = repository();
    let mut pages = vec![
        "README.md".into(),
        "ARCHITECTURE.md".into(),
        "CONTRIBUTING.md".into(),
    ];
    for directory in ["docs/guide", "docs/decisions", "docs/suites"] {
        let entries = fs::read_dir(root.join(directory)).unwrap();
        pages.extend(entries.map(|entry| entry.unwrap().path()));
    }
    for page in pages {
        let page = root.join(page);
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let path = page.parent().unwrap().join(link);
            assert!(path.exists(), "{}: {link} does not exist", page.display());
        }
    }
}

#[test]
fn every_path_of_the_documentation_exists() {
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(repository().join(page)).unwrap();
        for path in paths(&text) {
            let exists = repository().join(path).exists();
            assert!(exists, "{page}: {path} does not exist");
        }
    }
}

#[test]
fn commands_are_read_from_fenced_blocks_only() {
    let text = "cutover a\n```toml\ncutover b\n```\n```console\n$ cutover c   # why\noutput\n```\n\
                ```console\ncargo run --release -- d && e\n\n```\n```yaml\n- run: cutover f\n  key: value\n```\n\
                ```sh\ncode=0\ncutover g || code=$?\n```\n";
    let expected = ["cutover c", "cutover d && e", "cutover f", "cutover g"];
    assert_eq!(commands(text), expected);
}

fn repository() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.to_owned()
}

/// The relative links of a page, without anchors.
fn links(text: &str) -> Vec<&str> {
    let links = text.split("](").skip(1);
    let links = links.filter_map(|rest| rest.split([')', '#']).next());
    links
        .filter(|link| !link.is_empty() && !link.contains(':'))
        .collect()
}

/// The paths into the repository that a page has between backticks, without those with a placeholder.
fn paths(text: &str) -> Vec<&str> {
    let folders = [
        "docs/",
        "fixtures/",
        "harness/",
        "reports/",
        "suites/",
        ".ci/",
    ];
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| {
        let is_in_repository = folders.iter().any(|folder| text.starts_with(folder));
        is_in_repository && !text.contains(['<', '…', ' '])
    };
    quoted.filter(is_path).collect()
}

/// The commands of a page, with `cutover` for every way to call the program.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        match language {
            "console" => commands.extend(console(&block)),
            // Scripts have more than commands: only calls of the program are taken.
            "sh" | "yaml" => commands.extend(calls(&block)),
            _ => {}
        }
    }
    commands
}

/// The lines with a prompt, or all lines where none has one.
fn console(block: &[&str]) -> Vec<String> {
    let prompted: Vec<_> = block
        .iter()
        .filter_map(|line| line.strip_prefix("$ "))
        .collect();
    let lines = if prompted.is_empty() {
        block.to_vec()
    } else {
        prompted
    };
    let commands = lines.into_iter().map(command);
    commands.filter(|command| !command.is_empty()).collect()
}

/// The lines of a script that call the program.
fn calls(block: &[&str]) -> Vec<String> {
    let lines = block.iter().map(|line| {
        let line = line.trim_start().trim_start_matches("- ");
        command(
            line.trim_start_matches("run: ")
                .trim_end_matches(" || code=$?"),
        )
    });
    lines.filter(|line| line.starts_with("cutover ")).collect()
}

/// A command without its comment, and with `cutover` for `cargo run`.
fn command(line: &str) -> String {
    let line = line.split(" # ").next().unwrap_or_default().trim();
    line.replace("cargo run --release -- ", "cutover ")
}

/// A running stack that stands for the pipeline of the reader.
struct ReadersPipeline {
    api: String,
    issuer: String,
    jwt_secret: String,
}

impl ReadersPipeline {
    /// Reads the files of a stack.
    fn read(directory: &Path) -> Self {
        let read = |name: &str, pointer: &str| {
            let text = fs::read_to_string(directory.join(name)).unwrap();
            let json: Value = serde_json::from_str(&text).unwrap();
            let text = json.pointer(pointer).and_then(Value::as_str);
            text.unwrap().trim_end_matches('/').to_owned()
        };
        Self {
            api: read("stack.json", "/api_url"),
            issuer: format!("{}/auth/v1", read("stack.json", "/endpoints/supabase")),
            jwt_secret: read("standins.json", "/jwt_secret"),
        }
    }
}

/// A reader, who runs the commands of some pages one after the other in a separate directory.
struct Reader {
    pages: &'static [&'static str],
    /// Every distinct command, with the first page that has it.
    commands: Vec<(&'static str, String)>,
    home: TempDir,
    /// The pipeline of the reader, once a command is about it.
    pipeline: Option<ReadersPipeline>,
    last_code: i32,
}

impl Reader {
    fn new(pages: &'static [&'static str]) -> Self {
        let mut distinct: Vec<(&str, String)> = Vec::new();
        for page in pages {
            let text = fs::read_to_string(repository().join(page)).unwrap();
            let found = commands(&text);
            assert!(!found.is_empty(), "{page} has no command");
            for command in found {
                if !distinct.iter().any(|(_, other)| *other == command) {
                    distinct.push((page, command));
                }
            }
        }
        // PostgreSQL runs as another user where the test runs as root, and must reach its stack.
        let home = tempfile::Builder::new()
            .prefix("cutover-test-")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        fs::create_dir(home.path().join("stacks")).unwrap();
        symlink(repository().join("fixtures"), home.path().join("fixtures")).unwrap();
        Self {
            pages,
            commands: distinct,
            home,
            pipeline: None,
            last_code: 0,
        }
    }

    /// Runs every command.
    fn run(mut self) {
        for (page, command) in self.commands.clone() {
            if !NOT_RUN.iter().any(|(start, _)| command.starts_with(start)) {
                self.run_command(page, &command);
            }
        }
        self.assert_files_exist();
    }

    fn run_command(&mut self, page: &str, command: &str) {
        let mut additions = ADDITIONS.iter();
        let addition = additions.find(|(other, ..)| *other == command);
        let (_, more, code) = *addition.unwrap_or(&("", "", 0));
        if command.contains("--target") || command.starts_with("cutover init") {
            self.start_pipeline();
        }
        let line = self.substitute(&format!("{command} {more}"));
        let arguments = line.split_whitespace().collect::<Vec<_>>();
        let Some((&"cutover", arguments)) = arguments.split_first() else {
            panic!("{page}: `{command}` is neither a call of cutover nor in NOT_RUN");
        };
        let output = self.cutover(arguments);
        let expected = if code == JUDGED { self.last_code } else { code };
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{page}: {line}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        let starts_run = ["cutover validate", "cutover smoke"]
            .iter()
            .any(|start| command.starts_with(start));
        if starts_run && !command.contains("--dry-run") {
            self.last_code = expected;
        }
        if command.starts_with("cutover init") {
            self.finish_target(command);
        }
    }

    /// The command with the addresses and the commit of the running stack.
    fn substitute(&self, command: &str) -> String {
        let Some(pipeline) = &self.pipeline else {
            return command.to_owned();
        };
        command
            .replace("http://127.0.0.1:8000", &pipeline.api)
            .replace("4f2a9c1", "reference")
    }

    fn cutover(&self, arguments: &[&str]) -> Output {
        let secret = self.pipeline.as_ref().map(|pipeline| &pipeline.jwt_secret);
        Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(arguments)
            .current_dir(self.home.path())
            .env("TMPDIR", self.home.path().join("stacks"))
            .envs(secret.map(|secret| ("SUPABASE_JWT_SECRET", secret)))
            .env_remove("NEXTEST_RUN_ID")
            .env_remove("CUTOVER_RUN_ID")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Starts the pipeline of the reader.
    fn start_pipeline(&mut self) {
        if self.pipeline.is_none() {
            let up = self.cutover(&["stack", "up"]);
            assert!(up.status.success(), "{up:?}");
            let directory = String::from_utf8(up.stdout).unwrap();
            let pipeline = ReadersPipeline::read(Path::new(directory.trim()));
            self.pipeline = Some(pipeline);
        }
    }

    /// Adds what the reader adds to the target file that was written: the differences of the contract.
    ///
    /// A target in production is replaced by the running stack.
    fn finish_target(&self, init: &str) {
        if init.contains("production") {
            let api = self.substitute("http://127.0.0.1:8000");
            let local = ["init", "--api", &api, "--identity", "mint"];
            let local = [&local[..], &["--output", "production.toml", "--force"]].concat();
            let written = self.cutover(&local);
            assert!(written.status.success(), "{written:?}");
        }
        let pipeline = self.pipeline.as_ref().unwrap();
        let names = ["cutover.toml", "production.toml"].map(|name| self.home.path().join(name));
        for path in names.iter().filter(|path| path.exists()) {
            let written = fs::read_to_string(path).unwrap();
            let issuer = format!("issuer = \"{}\"", pipeline.issuer);
            let lines = written.lines().map(|line| match line {
                line if line.starts_with("issuer = ") => issuer.as_str(),
                // A run sends fewer requests than the default budget only in the smoke profile.
                "requests = 2000" => "requests = 20000",
                line => line,
            });
            let mut target = lines.collect::<Vec<_>>().join("\n");
            // An earlier command may have finished it.
            if !target.lines().any(|line| line == LIMITS) {
                let (_, limits) = cutover_fixtures::TARGET.split_once(LIMITS).unwrap();
                target = format!("{target}\n{LIMITS}{limits}");
            }
            fs::write(path, target).unwrap();
        }
    }

    /// The files of a run that the pages name exist after the last run.
    fn assert_files_exist(&self) {
        for page in self.pages {
            let text = fs::read_to_string(repository().join(page)).unwrap();
            let words = text.split(|c: char| c.is_whitespace() || c == '`');
            for file in words.filter(|word| word.starts_with("target/cutover/latest/")) {
                assert!(self.home.path().join(file).exists(), "{page}: {file}");
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.pipeline.is_some() {
            let down = self.cutover(&["stack", "down"]);
            // A second panic would abort the test program and hide the first.
            if !std::thread::panicking() {
                assert!(down.status.success(), "{down:?}");
            }
        }
    }
}
