//! `--stack`: the backend of the stacks that cutover starts.

use clap::{Args, ValueEnum};

use crate::UsageError;
use cutover_harness::target_file::Target;
use cutover_stack::{FindError, Installation, StackKind};

/// The backend of the stacks that cutover starts.
#[derive(Args, Debug, Default)]
pub(super) struct StackOption {
    /// Backend of the stack [default: the one in the target file]
    #[arg(long, value_enum, value_name = "BACKEND")]
    stack: Option<BackendChoice>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum BackendChoice {
    /// Processes on this machine, with the installed PostgreSQL
    Processes,
    /// Docker containers; `fixtures/images/build` builds their images
    Containers,
    /// Processes if PostgreSQL is installed, otherwise containers
    Auto,
}

impl StackOption {
    /// The option as command-line arguments.
    pub(super) fn arguments(&self) -> Vec<String> {
        let kind = self.stack.and_then(|backend| backend.to_possible_value());
        let kind = kind.map(|kind| ["--stack".to_owned(), kind.get_name().to_owned()]);
        kind.into_iter().flatten().collect()
    }

    /// Overrides the backend of the target; prints on standard error which one `auto` chose, and why.
    pub(super) fn apply(&self, target: &mut Target) -> anyhow::Result<()> {
        let Some(backend) = self.stack else {
            return Ok(());
        };
        if target.attachment().is_some() {
            let error = UsageError::new(
                "choose the backend of the stack",
                format!("target '{}' is already deployed", target.name),
                "remove --stack, or use a target without [api]",
            );
            return Err(error.into());
        }
        target.stack.kind = match backend {
            BackendChoice::Processes => StackKind::Processes,
            BackendChoice::Containers => StackKind::Containers,
            BackendChoice::Auto => {
                let (kind, reason) = choose(Installation::find())?;
                anstream::eprintln!("stack: {kind}, because {reason}");
                kind
            }
        };
        Ok(())
    }
}

/// Prefers processes, which start faster; containers need nothing but Docker. A configured
/// PostgreSQL that cannot be used is an error, not a reason for containers.
fn choose(found: Result<Installation, FindError>) -> Result<(StackKind, String), FindError> {
    match found {
        Ok(found) => {
            let reason = format!("{} is in {}", found.version, found.bin.display());
            Ok((StackKind::Processes, reason))
        }
        Err(FindError::NotInstalled) => {
            let reason = "PostgreSQL is not installed on this machine".to_owned();
            Ok((StackKind::Containers, reason))
        }
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_chooses_processes_if_postgresql_is_installed() {
        let installed = Installation {
            bin: "/opt/pg/bin".into(),
            version: "postgres (PostgreSQL) 17.1".to_owned(),
        };
        let (kind, reason) = choose(Ok(installed)).unwrap();
        assert_eq!(kind, StackKind::Processes);
        assert_eq!(reason, "postgres (PostgreSQL) 17.1 is in /opt/pg/bin");
        let (kind, reason) = choose(Err(FindError::NotInstalled)).unwrap();
        assert_eq!(kind, StackKind::Containers);
        assert!(reason.contains("not installed"), "{reason}");
    }

    #[test]
    fn auto_rejects_a_configured_postgresql_that_does_not_exist() {
        let error = FindError::NotThere {
            bin: "/nowhere".into(),
        };
        assert!(choose(Err(error)).is_err());
    }
}
