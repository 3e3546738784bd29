//! The performance suite: documents and requests take bounded time, nothing grows with the work that was done, and nothing waits without need.
//!
//! Each file holds one topic: the table of checks first, the checks below it. Where a check can count, it counts:
//! processor time, bytes, connections and calls are the same on a busy machine. What measures times looks twice.

mod batches;
mod connections;
mod document_growth;
mod document_rate;
mod document_times;
mod idle;
mod leaks;
mod looks;
mod measured;
mod neighbours;
mod overload;
mod processor;
mod providers;
mod registrations;
mod requests;
mod response_times;
mod retrieval;
mod side_by_side;
mod soak;
mod stage_times;
mod uploads;
mod workers;

use cutover_harness::prelude::*;

/// The suite with the tables of all topics.
pub fn suite() -> Suite {
    let tables = [
        document_times::table(),
        document_growth::table(),
        document_rate::table(),
        batches::table(),
        connections::table(),
        idle::table(),
        leaks::table(),
        neighbours::table(),
        overload::table(),
        processor::table(),
        registrations::table(),
        response_times::table(),
        retrieval::table(),
        side_by_side::table(),
        soak::table(),
        stage_times::table(),
        uploads::table(),
        workers::table(),
    ];
    Suite::new(
        "performance",
        "documents and requests take bounded time, and nothing grows or waits without need",
        tables.into_iter().flatten(),
    )
}
