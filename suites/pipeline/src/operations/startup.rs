//! Startup: a process with missing configuration exits at once and names the variable.

use std::time::Duration;

use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::stack::{OneShotOutcome, Overrides};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_process_refuses_to_start_unconfigured, VARIABLES)
            .requires([Processes])
            .effect(Effect::Fault)
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// How long a process may take to notice missing configuration.
const EXIT_WITHIN: Duration = Duration::from_secs(5);

/// A required variable.
pub(super) struct Variable {
    name: &'static str,
    variable: &'static str,
}

impl Named for Variable {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// The required variables.
const VARIABLES: &[Variable] = &[
    Variable {
        name: "database_url",
        variable: "DATABASE_URL",
    },
    Variable {
        name: "service_role_key",
        variable: "SUPABASE_SERVICE_ROLE_KEY",
    },
    Variable {
        name: "parser_key",
        variable: "LLAMAPARSE_API_KEY",
    },
    Variable {
        name: "webhook_base_url",
        variable: "WEBHOOK_BASE_URL",
    },
    Variable {
        name: "environment",
        variable: "ENVIRONMENT",
    },
    Variable {
        name: "supabase_url",
        variable: "SUPABASE_URL",
    },
    Variable {
        name: "anon_key",
        variable: "SUPABASE_ANON_KEY",
    },
    Variable {
        name: "token_secret",
        variable: "SUPABASE_JWT_SECRET",
    },
    Variable {
        name: "parser_url",
        variable: "LLAMAPARSE_BASE_URL",
    },
    Variable {
        name: "embedder_url",
        variable: "OPENAI_API_URL",
    },
    Variable {
        name: "embedder_key",
        variable: "OPENAI_API_KEY",
    },
];

/// Without a required variable, neither API nor worker starts, and both name the variable.
async fn a_process_refuses_to_start_unconfigured(cx: &Context, case: &Variable) -> CheckResult {
    let stack = cx.processes()?;
    let without = Overrides::from([(case.variable.to_owned(), None)]);
    for process in ["api", "worker"] {
        let attempt = stack
            .run_one_shot(&[process], &without, EXIT_WITHIN)
            .await?;
        let OneShotOutcome::Exited(output) = attempt else {
            let summary = format!("the {process} starts without {}", case.variable);
            return Err(Stop::violated(Finding::new(summary)));
        };
        ensure!(
            !output.status.success(),
            "the {process} exits without {} with a success status",
            case.variable
        );
        let output = [output.stdout, output.stderr].concat();
        let output = String::from_utf8_lossy(&output);
        ensure!(
            output.contains(case.variable),
            "the {process} exits without {}, but does not name it: {output}",
            case.variable
        );
    }
    Ok(())
}
