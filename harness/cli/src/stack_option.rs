//! `--stack`: on what a stack of our own runs, whatever the target says.

use clap::{Args, ValueEnum};

use cutover_harness::target_file::Target;
use cutover_stack::StackKind;
use cutover_stack::{FindError, Installation};

/// On what a stack of our own runs.
#[derive(Args, Debug, Default)]
pub(super) struct StackOption {
    /// What the stack runs on, whatever the target says
    #[arg(long, value_enum, value_name = "KIND")]
    stack: Option<On>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum On {
    /// Processes of this machine, with the PostgreSQL that is installed
    Processes,
    /// Containers; `just images` builds what they are made from
    Containers,
    /// Processes where PostgreSQL is installed, else containers
    Auto,
}

impl StackOption {
    /// The same, as words of a command line.
    pub(super) fn words(&self) -> Vec<String> {
        let kind = self.stack.and_then(|on| on.to_possible_value());
        let kind = kind.map(|kind| ["--stack".to_owned(), kind.get_name().to_owned()]);
        kind.into_iter().flatten().collect()
    }

    /// Changes what the target says; says on standard error what `auto` came to, and why.
    pub(super) fn apply(&self, target: &mut Target) -> anyhow::Result<()> {
        let Some(on) = self.stack else {
            return Ok(());
        };
        anyhow::ensure!(
            target.attachment().is_none(),
            "--stack says what a stack of our own runs on; target '{}' is run by somebody else",
            target.name
        );
        target.stack.kind = match on {
            On::Processes => StackKind::Processes,
            On::Containers => StackKind::Containers,
            On::Auto => {
                let (kind, why) = pick(Installation::find())?;
                anstream::eprintln!("stack: {kind}, for {why}");
                kind
            }
        };
        Ok(())
    }
}

/// Processes are quicker; containers need nothing but Docker. A PostgreSQL that is named and cannot
/// be used is a mistake to mend, not one to go around.
fn pick(found: Result<Installation, FindError>) -> Result<(StackKind, String), FindError> {
    match found {
        Ok(found) => {
            let why = format!("{} is in {}", found.version, found.bin.display());
            Ok((StackKind::Processes, why))
        }
        Err(FindError::NotInstalled) => {
            let why = "no PostgreSQL is installed on this machine".to_owned();
            Ok((StackKind::Containers, why))
        }
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_preferred_where_postgresql_is() {
        let installed = Installation {
            bin: "/opt/pg/bin".into(),
            version: "postgres (PostgreSQL) 17.1".to_owned(),
        };
        let (kind, why) = pick(Ok(installed)).unwrap();
        assert_eq!(kind, StackKind::Processes);
        assert_eq!(why, "postgres (PostgreSQL) 17.1 is in /opt/pg/bin");
        let (kind, why) = pick(Err(FindError::NotInstalled)).unwrap();
        assert_eq!(kind, StackKind::Containers);
        assert!(why.contains("no PostgreSQL"), "{why}");
    }

    #[test]
    fn a_named_postgresql_that_is_not_there_is_no_reason_for_containers() {
        let named = FindError::NotThere {
            bin: "/nowhere".into(),
        };
        assert!(pick(Err(named)).is_err());
    }
}
