//! The logs of a target: whether each source can be read.

use super::report::{Report, chain};
use cutover_contract::probe::LogSource;

/// Reads each source.
pub(super) async fn check_logs(sources: &[LogSource], report: &mut Report) {
    for source in sources {
        let result = source.read().await;
        let result = result.map(|_| format!("the log of {} can be read", source.process));
        report.add(
            "logs",
            result.map_err(|error| format!("{}; {REMEDY}", chain(error))),
        );
    }
}

const REMEDY: &str = "correct [logs] sources in the target file";
