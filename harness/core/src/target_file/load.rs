//! Reads and validates a target file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::file::Target;
use super::links;
use crate::environment::Class;
use cutover_contract::contract::{CallbackAuth, Contract, ContractError};

/// A target file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The file cannot be read.
    #[error("read target '{}'; `cutover validate` without --target uses the embedded target", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a target.
    #[error(
        "{origin}:{line}: {message}; `cutover schema target` prints the schema of a target file"
    )]
    Malformed {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong, with the key.
        message: String,
    },
    /// A value that parses but is invalid.
    #[error("{origin}: key '{key}' {problem}")]
    Invalid {
        /// The file.
        origin: String,
        /// The key.
        key: &'static str,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// Its `[contract]` table is invalid.
    #[error(transparent)]
    Contract(#[from] ContractError),
}

impl Target {
    /// Reads a target file.
    pub fn read(path: &Path) -> Result<Self, TargetError> {
        let text = fs::read_to_string(path).map_err(|source| TargetError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let mut target = Self::parse(&text, &path.display().to_string())?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let listed = target.documents.list_files(folder);
        listed.map_err(|problem| TargetError::Invalid {
            origin: target.origin.clone(),
            key: "documents.corpus",
            problem,
        })?;
        Ok(Self {
            file: Some(path.to_owned()),
            ..target
        })
    }

    /// Parses a target. `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, TargetError> {
        let mut target: Self = toml::from_str(text).map_err(|error| TargetError::Malformed {
            origin: origin.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        origin.clone_into(&mut target.origin);
        let invalid = |key, problem: &str| {
            Err(TargetError::Invalid {
                origin: origin.to_owned(),
                key,
                problem: problem.to_owned(),
            })
        };
        if target.schema != 1 {
            return invalid(
                "schema",
                "must be 1: this version of cutover supports no other format",
            );
        }
        if target.name.trim().is_empty() {
            return invalid("name", "must not be empty: reports use it");
        }
        if !(1..=16).contains(&target.stack.workers) {
            return invalid("stack.workers", "must be from 1 to 16");
        }
        if !(1..=8).contains(&target.stack.lanes) {
            return invalid("stack.lanes", "must be from 1 to 8");
        }
        let rate = target.safety.requests_per_second;
        if rate.is_some_and(|rate| !(0.1..=100_000.0).contains(&rate)) {
            return invalid("safety.requests_per_second", "must be from 0.1 to 100000");
        }
        if target.safety.disposable && target.class != Class::Local {
            return invalid(
                "safety.disposable",
                "is for targets of class local: any other target keeps its documents",
            );
        }
        if let Some((key, problem)) = target.table_problem() {
            return invalid(key, &problem);
        }
        target.standin_config()?;
        match (&target.api, target.identity.problem()) {
            (None, _) if target.class != Class::Local => invalid(
                "class",
                "must be local for a stack that cutover starts; an attached target has an [api] table",
            ),
            (Some(_), Some(problem)) => invalid("identity", problem),
            (None | Some(_), _) => Ok(target),
        }
    }

    /// A key of one table whose value is invalid, and the problem.
    fn table_problem(&self) -> Option<(&'static str, String)> {
        let of = |key: &'static str, problem: Option<String>| problem.map(|it| (key, it));
        let control = || {
            let (key, problem) = self.control.problem()?;
            Some((key, problem.to_owned()))
        };
        of("links", links::problem(&self.links))
            .or_else(|| of("logs.sources", self.logs.problem()))
            .or_else(|| of("resources.sources", self.resources.problem()))
            .or_else(control)
            .or_else(|| self.identification.problem())
    }

    /// The contract of this target: the default contract with its overrides.
    pub fn contract(&self, default: &str) -> Result<Contract, TargetError> {
        let origin = format!("{}, [contract]", self.origin);
        let contract = Contract::parse_with_overrides(default, &self.contract, &origin)?;
        let has_database = self.api.is_none() || self.database.is_some();
        if contract.ways(has_database).is_empty() {
            return Err(TargetError::Invalid {
                origin: self.origin.clone(),
                key: "contract.standing.read",
                problem: "names no way of this target to read the standing of a document; declare routes.job, \
                          routes.document or routes.jobs with the pointer to the status, or add [database]"
                    .to_owned(),
            });
        }
        match self.callback_problem(contract.callback.auth) {
            None => Ok(contract),
            Some(problem) => Err(TargetError::Invalid {
                origin: self.origin.clone(),
                key: "callback.token",
                problem,
            }),
        }
    }

    /// The stand-in of the parser needs the static secret, where the contract requires one.
    fn callback_problem(&self, auth: CallbackAuth) -> Option<String> {
        self.api.as_ref()?;
        match &self.callback {
            None if auth.has_token() && self.standins.is_some() => Some(format!(
                "is missing, but contract.callback.auth is '{}': add the static secret, such as \
                 `token = {{ env = \"CALLBACK_TOKEN\" }}` below [callback]",
                auth.word()
            )),
            Some(_) if !auth.has_token() => Some(format!(
                "is unused, because contract.callback.auth is '{}': remove [callback], or change \
                 auth to static_header or both",
                auth.word()
            )),
            None | Some(_) => None,
        }
    }
}

/// The line, from 1, of a byte in a text.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutover_stack::StackKind;

    const LOCAL: &str = "schema = 1\nname = \"local\"\nclass = \"local\"\n";

    fn problem(text: &str) -> String {
        Target::parse(text, "x.toml")
            .expect_err("the target is invalid")
            .to_string()
    }

    #[test]
    fn a_minimal_target_is_a_local_process_stack() {
        let target = Target::parse(LOCAL, "x.toml").unwrap();
        assert_eq!(target.stack.kind, StackKind::Processes);
        assert_eq!(target.stack.workers, 1);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let message = problem(&format!("{LOCAL}colour = \"red\"\n"));
        assert!(
            message.starts_with("x.toml:4: unknown field `colour`"),
            "{message}"
        );
    }

    #[test]
    fn an_unknown_control_key_is_refused_with_the_line_of_its_table() {
        let message = problem(&format!("{LOCAL}[control.worker]\nkill = [\"a\"]\n"));
        assert!(
            message.starts_with("x.toml:4: unknown key 'control.worker.kill'"),
            "{message}"
        );
    }

    #[test]
    fn a_missing_key_is_named() {
        assert!(problem("schema = 1\nclass = \"local\"\n").contains("missing field `name`"));
    }

    #[test]
    fn an_invalid_value_is_refused_with_the_valid_range() {
        let message = problem(&format!("{LOCAL}[stack]\nworkers = 0\n"));
        assert_eq!(message, "x.toml: key 'stack.workers' must be from 1 to 16");
    }

    #[test]
    fn a_stack_may_use_containers_with_configured_images() {
        let text = format!(
            "{LOCAL}[stack]\nkind = \"containers\"\n[stack.images]\npipeline = \"mine:7\"\n"
        );
        let stack = Target::parse(&text, "x.toml").unwrap().stack;
        assert_eq!(stack.kind, StackKind::Containers);
        assert_eq!(stack.images.pipeline, "mine:7");
        assert_eq!(stack.images.postgres, "pgvector/pgvector:pg17");
    }

    #[test]
    fn only_a_local_target_is_disposable() {
        let text = format!("{LOCAL}[safety]\ndisposable = true\n");
        assert!(Target::parse(&text, "x.toml").unwrap().safety.disposable);
        let message = problem(&text.replace("\"local\"", "\"staging\""));
        assert!(message.contains("'safety.disposable' is for"), "{message}");
    }

    #[test]
    fn a_rate_that_is_not_positive_is_refused() {
        for rate in ["0", "-1.0", "nan"] {
            let message = problem(&format!("{LOCAL}[safety]\nrequests_per_second = {rate}\n"));
            assert!(
                message.contains("'safety.requests_per_second' must be"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_callback_token_is_required_exactly_where_the_contract_has_one() {
        const DEFAULT: &str = include_str!("../../../../fixtures/contracts/upload_pipeline.toml");
        let at = "http://127.0.0.1:1";
        let attached = format!(
            "{LOCAL}[api]\nurl = '{at}'\n[identity.mint]\nsecret = {{ env = 'S' }}\nissuer = 'i'\n\
             [standins]\nparser = '{at}'\nembedder = '{at}'\nsupabase = '{at}'\ncontrol = '{at}'\n"
        );
        let (token, rule) = (
            "[callback]\ntoken = { env = 'T' }\n",
            "[contract.callback]\nauth = 'both'\n",
        );
        let refused = |text: &str| {
            let contract = Target::parse(text, "x.toml").unwrap().contract(DEFAULT);
            contract.err().map(|error| error.to_string())
        };
        let message = refused(&format!("{attached}{rule}")).unwrap();
        assert!(
            message.starts_with("x.toml: key 'callback.token' is missing")
                && message.contains("below [callback]"),
            "{message}"
        );
        let message = refused(&format!("{attached}{token}")).unwrap();
        assert!(message.contains("is unused"), "{message}");
        assert_eq!(refused(&format!("{attached}{token}{rule}")), None);
        assert_eq!(refused(&format!("{LOCAL}{rule}")), None);
    }

    #[test]
    fn a_stack_that_cutover_starts_is_local() {
        assert!(
            problem(&LOCAL.replace("\"local\"\n", "\"production\"\n")).contains("must be local")
        );
    }
}
