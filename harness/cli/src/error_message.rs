//! How errors are printed: what failed, each cause on its own line, and the remedy last.

use std::error::Error;

use anstyle::{AnsiColor, Style};
use cutover_contract::contract::ContractError;
use cutover_harness::catalog::UnknownDefect;
use cutover_harness::interlock::Interlock;
use cutover_harness::plan::PlanError;
use cutover_harness::run_directory::RunDirectoryError;
use cutover_harness::target_file::{SecretError, TargetError};
use cutover_reports::policy::PolicyError;
use cutover_reports::record::LoadError;

use crate::UsageError;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// The message of an error: `error: failed to …`, its causes, and `help: …`.
pub(crate) fn error_message(error: &anyhow::Error) -> String {
    let (fragments, help) = explain_chain(error);
    format(&label(ERROR, "error", "failed to "), &fragments, help)
}

/// An error with its causes and its remedy in one line, for a table.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let (fragments, help) = explain_chain(error);
    let text = fragments.join(": ");
    match help {
        Some(help) => format!("{text}; {help}"),
        None => text,
    }
}

/// The message of an interlock, which begins with `refused: `.
pub(crate) fn refusal_message(refusal: &Interlock) -> String {
    let mut fragments = vec![refusal.to_string()];
    let mut source = refusal.source();
    while let Some(error) = source {
        fragments.push(error.to_string());
        source = error.source();
    }
    format("", &fragments, None)
}

fn format(prefix: &str, fragments: &[String], help: Option<String>) -> String {
    let mut lines = Vec::new();
    for (index, fragment) in fragments.iter().enumerate() {
        let fragment = fragment.trim_end().replace('\n', "\n    ");
        lines.push(match index {
            0 => format!("{prefix}{fragment}"),
            _ => format!("  caused by: {fragment}"),
        });
    }
    lines.extend(help.map(|help| label(HELP, "help", &help)));
    lines.join("\n")
}

fn label(style: Style, name: &str, text: &str) -> String {
    format!("{style}{name}:{style:#} {text}")
}

fn explain_chain(error: &anyhow::Error) -> (Vec<String>, Option<String>) {
    let mut fragments = Vec::new();
    let mut help = None;
    for error in error.chain() {
        let (these, remedy) = explain(error);
        fragments.extend(these);
        help = help.or(remedy);
    }
    (fragments, help)
}

/// What failed and why, one fragment each, and the remedy if there is one.
fn explain(error: &(dyn Error + 'static)) -> (Vec<String>, Option<String>) {
    if let Some(error) = error.downcast_ref::<TargetError>() {
        return target(error);
    }
    if let Some(error) = error.downcast_ref::<PolicyError>() {
        return policy(error);
    }
    if let Some(error) = error.downcast_ref::<SecretError>() {
        return secret(error);
    }
    if let Some(PlanError::UnknownSuite { name, known }) = error.downcast_ref() {
        return (
            vec![
                format!("select suite '{name}'"),
                "there is no suite of this name".to_owned(),
            ],
            Some(format!("the suites are {known}")),
        );
    }
    if let Some(RunDirectoryError::BadId(id)) = error.downcast_ref() {
        return (
            vec![
                format!("use run id '{id}'"),
                "it contains other characters than letters, digits, '-', '_' and '.'".to_owned(),
            ],
            Some("unset CUTOVER_RUN_ID, or correct it".to_owned()),
        );
    }
    if let Some(error) = error.downcast_ref::<UnknownDefect>() {
        return (
            vec![
                format!("find seeded defect '{}'", error.name()),
                "there is no defect with this id or slug".to_owned(),
            ],
            Some(error.help()),
        );
    }
    let help = match error.downcast_ref::<UsageError>() {
        Some(error) => Some(error.help()),
        None => error.downcast_ref::<LoadError>().map(LoadError::help),
    };
    (vec![error.to_string()], help.map(str::to_owned))
}

fn target(error: &TargetError) -> (Vec<String>, Option<String>) {
    let schema = "`cutover schema target` prints the schema of a target file";
    match error {
        TargetError::Unreadable { path, .. } => (
            vec![format!("read target '{}'", path.display())],
            Some("name a target file with --target; `cutover init` writes one".to_owned()),
        ),
        TargetError::Malformed {
            origin,
            line,
            message,
        } => (
            vec![
                format!("read target '{origin}'"),
                format!("{origin}:{line}: {message}"),
            ],
            Some(schema.to_owned()),
        ),
        TargetError::Invalid {
            origin,
            key,
            problem,
        } => (
            vec![
                format!("read target '{origin}'"),
                format!("key '{key}' {problem}"),
            ],
            Some(schema.to_owned()),
        ),
        TargetError::Contract(error) => contract(error),
    }
}

fn contract(error: &ContractError) -> (Vec<String>, Option<String>) {
    let schema = "`cutover schema contract` prints the schema of a contract";
    match error {
        ContractError::Malformed {
            origin,
            detail,
            nearest,
        } => (
            vec![format!("read contract '{origin}'"), detail.clone()],
            Some(match nearest {
                Some(nearest) => format!("did you mean '{nearest}'? {schema}"),
                None => schema.to_owned(),
            }),
        ),
        ContractError::Contradiction {
            origin,
            key,
            detail,
        } => (
            vec![
                format!("read contract '{origin}'"),
                format!("key '{key}': {detail}"),
            ],
            Some(schema.to_owned()),
        ),
    }
}

fn policy(error: &PolicyError) -> (Vec<String>, Option<String>) {
    let schema = "`cutover schema policy` prints the schema of a policy file";
    match error {
        PolicyError::Malformed {
            origin,
            line,
            message,
        } => (
            vec![
                format!("read policy '{origin}'"),
                format!("{origin}:{line}: {message}"),
            ],
            Some(schema.to_owned()),
        ),
        PolicyError::Invalid {
            origin,
            line,
            key,
            problem,
        } => (
            vec![
                format!("read policy '{origin}'"),
                format!("{origin}:{line}: key '{key}' {problem}"),
            ],
            Some(schema.to_owned()),
        ),
    }
}

fn secret(error: &SecretError) -> (Vec<String>, Option<String>) {
    match error {
        SecretError::Unset { key, name } => (
            vec![
                format!("read the secret for '{key}'"),
                format!("variable {name} is not set"),
            ],
            Some(format!("set {name}, or change '{key}' in the target file")),
        ),
        SecretError::Failed {
            key,
            program,
            reason: how,
        } => (
            vec![
                format!("run '{program}' for the secret of '{key}'"),
                how.clone(),
            ],
            Some(format!("run '{program}' by hand to see its output")),
        ),
        SecretError::Unreadable { key, .. } | SecretError::NotStarted { key, .. } => (
            vec![error.to_string()],
            Some(format!("change '{key}' in the target file")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context as _;

    use super::*;

    fn plain(error: &anyhow::Error) -> String {
        anstream::adapter::strip_str(&error_message(error)).to_string()
    }

    #[test]
    fn an_error_is_printed_with_each_cause_on_its_own_line_and_the_help_last() {
        let error = UsageError::new(
            "read policy 'p.toml'",
            io::Error::other("disk\nfailure"),
            "free space",
        );
        let error = anyhow::Error::new(error).context("start the run");
        assert_eq!(
            plain(&error),
            "error: failed to start the run\n  caused by: read policy 'p.toml'\n  \
             caused by: disk\n    failure\nhelp: free space"
        );
    }

    #[test]
    fn an_error_without_a_remedy_is_printed_without_help() {
        let error = Err::<(), _>(io::Error::other("no space")).context("write 'x'");
        assert_eq!(
            plain(&error.unwrap_err()),
            "error: failed to write 'x'\n  caused by: no space"
        );
    }

    #[test]
    fn an_unreadable_target_is_printed_with_its_path_and_the_option() {
        let error = TargetError::Unreadable {
            path: "nowhere.toml".into(),
            source: io::Error::other("not found"),
        };
        assert_eq!(
            plain(&error.into()),
            "error: failed to read target 'nowhere.toml'\n  caused by: not found\n\
             help: name a target file with --target; `cutover init` writes one"
        );
    }

    #[test]
    fn a_malformed_target_is_printed_with_its_line() {
        let error = TargetError::Malformed {
            origin: "t.toml".to_owned(),
            line: 3,
            message: "unknown key".to_owned(),
        };
        assert_eq!(
            plain(&error.into()),
            "error: failed to read target 't.toml'\n  caused by: t.toml:3: unknown key\n\
             help: `cutover schema target` prints the schema of a target file"
        );
    }

    #[test]
    fn a_missing_secret_is_printed_with_its_variable() {
        let error = SecretError::Unset {
            key: "identity.tokens".to_owned(),
            name: "TOKEN_A".to_owned(),
        };
        assert_eq!(
            plain(&error.into()),
            "error: failed to read the secret for 'identity.tokens'\n  \
             caused by: variable TOKEN_A is not set\n\
             help: set TOKEN_A, or change 'identity.tokens' in the target file"
        );
    }

    #[test]
    fn an_error_in_one_line_ends_with_its_remedy() {
        let error = UsageError::new("read 'x'", "it is empty", "write it again");
        assert_eq!(
            one_line(&error.into()),
            "read 'x': it is empty; write it again"
        );
    }

    #[test]
    fn an_unknown_suite_is_printed_with_the_suites_that_exist() {
        let error = PlanError::UnknownSuite {
            name: "pipelin".to_owned(),
            known: "pipeline, smoke".to_owned(),
        };
        assert_eq!(
            plain(&error.into()),
            "error: failed to select suite 'pipelin'\n  caused by: there is no suite of this name\n\
             help: the suites are pipeline, smoke"
        );
    }

    #[test]
    fn a_refusal_is_printed_in_its_own_form() {
        let refusal = Interlock::Busy {
            target: "staging".to_owned(),
        };
        assert!(refusal_message(&refusal).starts_with("refused: another run"));
    }
}
