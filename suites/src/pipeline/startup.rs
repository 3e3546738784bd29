//! Start-up: a process that is not configured says so at once, instead of failing its users later.

use std::time::Duration;

use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::stack::{Attempt, Overrides};

/// How long a process may take to notice that it cannot work.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A variable without which no process can work.
pub(super) struct Variable {
    row: &'static str,
    name: &'static str,
}

impl Named for Variable {
    fn name(&self) -> &'static str {
        self.row
    }
}

/// The variables without which no process can work.
pub(super) const VARIABLES: &[Variable] = &[
    Variable {
        row: "database_url",
        name: "DATABASE_URL",
    },
    Variable {
        row: "service_role_key",
        name: "SUPABASE_SERVICE_ROLE_KEY",
    },
    Variable {
        row: "parser_key",
        name: "LLAMAPARSE_API_KEY",
    },
    Variable {
        row: "webhook_base_url",
        name: "WEBHOOK_BASE_URL",
    },
];

/// Without the variable, neither API nor worker starts, and both name what is missing.
pub(super) async fn a_process_refuses_to_start_unconfigured(
    cx: &Context,
    case: &Variable,
) -> CheckResult {
    let stack = cx.processes()?;
    let without = Overrides::from([(case.name.to_owned(), None)]);
    for process in ["api", "worker"] {
        let attempt = stack.run_reference(&[process], &without, AT_ONCE).await?;
        let Attempt::Ended(output) = attempt else {
            let summary = format!("the {process} starts without {}", case.name);
            return Err(Stop::violated(Finding::new(summary)));
        };
        ensure!(
            !output.status.success(),
            "the {process} ends without {} as if all were well",
            case.name
        );
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        ensure!(
            said.contains(case.name),
            "the {process} ends without {} and does not name it: {said}",
            case.name
        );
    }
    Ok(())
}
