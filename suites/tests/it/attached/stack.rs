//! A local stack that a target file describes as if others had started it.

use std::fs;
use std::path::Path;

use cutover_test_support::TestHome;
use serde_json::Value;

use crate::test_home;

/// The target file of the stack, in the working directory of its home.
pub(crate) const TARGET: &str = "attached.toml";

/// The target file of cutover's own stack.
const LOCAL: &str = include_str!("../../../../fixtures/targets/local.toml");

/// The table of a target file with the environment of a stack's processes.
const ENVIRONMENT: &str = "[stack.environment]";

/// A running stack whose processes cutover does not own.
pub(crate) struct AttachedStack {
    pub(crate) home: TestHome,
    /// The addresses, processes and secrets of the stack.
    pub(crate) info: Value,
}

impl AttachedStack {
    /// Starts a stack.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// Starts a stack whose processes have one more environment variable.
    pub(crate) fn start_with(variable: &str) -> Self {
        let home = test_home();
        let table = format!("{ENVIRONMENT}\n{variable}");
        home.write("own.toml", &LOCAL.replacen(ENVIRONMENT, &table, 1));
        let mut stack = Self {
            home,
            info: Value::Null,
        };
        let up = stack.home.run(["stack", "up", "--target", "own.toml"]);
        assert!(up.status.success(), "{up:?}");
        let directory = String::from_utf8(up.stdout).unwrap();
        let info = fs::read_to_string(Path::new(directory.trim()).join("stack.json")).unwrap();
        stack.info = serde_json::from_str(&info).unwrap();
        stack
    }

    /// The table of a target file with the commands that stop and start a process.
    ///
    /// A directory named like the process has its environment and its current pid.
    pub(crate) fn control(&self, name: &str, process: &Value) -> String {
        let directory = self.home.path(name);
        fs::create_dir(&directory).unwrap();
        let pid = process["identity"]["pid"].as_u64().unwrap();
        fs::copy(format!("/proc/{pid}/environ"), directory.join("environ")).unwrap();
        fs::write(directory.join("pid"), pid.to_string()).unwrap();
        let script = format!(
            "set -e; cd {directory}\ncase $1 in\n\
             stop) kill -9 $(cat pid);;\n\
             start) xargs -0 -a environ sh -c 'cd {stack}; exec 3>{directory}/pid; \
             env -i \"$@\" {program} reference {name} </dev/null >/dev/null 2>&1 3>&- & echo $! >&3' sh;;\nesac\n",
            directory = directory.display(),
            stack = self.text("/directory"),
            program = env!("CARGO_BIN_EXE_cutover"),
        );
        let path = directory.join("control.sh");
        fs::write(&path, script).unwrap();
        let command = |action| format!("[\"sh\", \"{}\", \"{action}\"]", path.display());
        format!(
            "[control.{name}]\nstop = {}\nstart = {}\n",
            command("stop"),
            command("start")
        )
    }

    /// Writes the target file, with these tables beside the required ones.
    pub(crate) fn write_target(&self, tables: &str) {
        let (_, limits) = LOCAL.split_once("[contract.limits]").unwrap();
        let secret = self.home.write(
            "jwt_secret",
            self.text("/credentials/secret of access tokens"),
        );
        let issuer = format!("{}auth/v1", self.text("/endpoints/supabase"));
        let target = format!(
            "schema = 1\nname = \"theirs\"\nclass = \"local\"\n[api]\nurl = \"{}\"\n\
             [identity.mint]\nsecret = {{ file = \"{}\" }}\nissuer = \"{}\"\n{tables}\n[contract.limits]{limits}",
            self.text("/api_url"),
            secret.display(),
            issuer,
        );
        self.home.write(TARGET, &target);
    }

    /// The tables of a target file that describe the database, the storage and the stand-ins.
    pub(crate) fn data_and_standins(&self) -> String {
        let credential = |name: &str| {
            let path = self.home.write(
                &name.replace(' ', "_"),
                self.text(&format!("/credentials/{name}")),
            );
            format!("{{ file = \"{}\" }}", path.display())
        };
        let endpoint = |name: &str| self.text(&format!("/endpoints/{name}")).to_owned();
        let standins = ["parser", "embedder", "supabase", "control"]
            .map(|name| format!("{name} = \"{}\"\n", endpoint(name)))
            .concat();
        format!(
            "[database]\nurl = {}\n[storage]\nsupabase_url = \"{}\"\nservice_role_key = {}\n[standins]\n{standins}",
            credential("database url of the superuser"),
            endpoint("supabase"),
            credential("service role key"),
        )
    }

    /// Host and port of a URL in the stack's information.
    pub(crate) fn address(&self, pointer: &str) -> &str {
        let url = self.text(pointer);
        url.trim_start_matches("http://").trim_end_matches('/')
    }

    /// Whether the process runs whose pid the control directory `worker` has.
    pub(crate) fn worker_is_alive(&self) -> bool {
        let pid = self.home.read("worker/pid");
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    fn text(&self, pointer: &str) -> &str {
        self.info.pointer(pointer).unwrap().as_str().unwrap()
    }
}

impl Drop for AttachedStack {
    fn drop(&mut self) {
        let down = self.home.run(["stack", "down"]);
        // A second panic would abort the test program and hide the first.
        if !std::thread::panicking() {
            assert!(down.status.success(), "{down:?}");
        }
    }
}
