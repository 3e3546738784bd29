//! What the processes of a stack hold at a moment: open files, threads, memory, and sessions of the database.

use cutover_harness::prelude::*;
use cutover_harness::stack::{ProcessUsage, Service};
use serde::Deserialize;

/// What the processes of a stack hold.
#[derive(Debug)]
pub struct Held {
    processes: Vec<(String, ProcessUsage)>,
    sessions: u64,
}

/// A quantity that a process holds, and the database for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The process, or the database.
    pub holder: String,
    /// The quantity, in the plural.
    pub what: &'static str,
    /// How much there is.
    pub amount: u64,
}

/// The names of the quantities.
pub const OPEN_FILES: &str = "open files";
/// Threads.
pub const THREADS: &str = "threads";
/// Resident memory.
pub const MEMORY: &str = "bytes of memory";
/// Sessions of the services at the database.
pub const SESSIONS: &str = "sessions of the services";

/// The sessions of the services.
const COUNT_SESSIONS: &str = "SELECT count(*) AS sessions FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> 'cutover'";

#[derive(Deserialize)]
struct Sessions {
    sessions: u64,
}

impl Held {
    /// What the API, the workers and the database of the check's own stack hold now.
    ///
    /// # Errors
    /// Not applicable where the system does not tell it.
    pub async fn now(cx: &Context) -> CheckResult<Self> {
        let stack = cx.processes()?;
        let workers = stack.workers();
        let services = workers.iter().map(|worker| &***worker).chain([stack.api()]);
        let processes = services.map(usage_of).collect::<CheckResult<_>>()?;
        let rows: Vec<Sessions> = cx.database()?.rows(COUNT_SESSIONS, &[]).await?;
        Ok(Self {
            processes,
            sessions: rows.first().map_or(0, |row| row.sessions),
        })
    }

    /// All quantities, in a fixed order.
    pub fn quantities(&self) -> Vec<Quantity> {
        let of_processes = self.processes.iter().flat_map(|(name, usage)| {
            let amounts = [
                (OPEN_FILES, usage.open_files),
                (THREADS, usage.threads),
                (MEMORY, usage.resident_bytes),
            ];
            amounts.map(|(what, amount)| Quantity {
                holder: name.clone(),
                what,
                amount,
            })
        });
        let of_database = Quantity {
            holder: "the database".to_owned(),
            what: SESSIONS,
            amount: self.sessions,
        };
        of_processes.chain([of_database]).collect()
    }
}

fn usage_of(service: &Service) -> CheckResult<(String, ProcessUsage)> {
    let name = service.name();
    let usage = service.identity().and_then(ProcessUsage::of);
    let Some(usage) = usage else {
        let reason = format!("what process '{name}' holds cannot be read on this system");
        return Err(Stop::not_applicable(reason));
    };
    Ok((name.to_owned(), usage))
}
