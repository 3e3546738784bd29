//! Measures what the sampler of resources costs: the share of a core for 8 processes and a database, median of three rounds.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use cutover_harness::contract::Contract;
use cutover_harness::probe::ActivityProbe;
use cutover_harness::resources::{
    ProcessSeries, ResourceSource, Sampler, Sources, Timeline, Watched,
};
use cutover_harness::secret::Secret;
use cutover_stack::{Installation, ProcessIdentity};
use cutover_test_support::TestPostgres;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Executor as _};

/// The processes beside this one and PostgreSQL.
const OTHERS: usize = 6;
/// The sessions of the database, and its unfinished jobs.
const SESSIONS: u32 = 20;
const JOBS: u32 = 1_000;
/// Processor time is counted in hundredths of a second.
const ROUND: Duration = Duration::from_secs(20);
const ROUNDS: usize = 3;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Processes that do nothing, until this is dropped.
struct Idle(Vec<Child>);

impl Drop for Idle {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<()> {
    let server = TestPostgres::start(&Installation::find()?.bin);
    let directory = server.socket_directory();
    let url = format!(
        "postgres://postgres@localhost/postgres?host={}",
        directory.display()
    );
    let pool = filled(&url).await?;
    let postgres = ResourceSource {
        service: "postgres".to_owned(),
        pid_file: Some(directory.join("data/postmaster.pid")),
        docker: None,
    };
    let sleepers = (0..OTHERS).map(|_| Command::new("sleep").arg("600").spawn());
    let idle = Idle(sleepers.collect::<std::io::Result<_>>()?);
    let watched = |name: &str, identity| Watched {
        name: name.to_owned(),
        identity,
    };
    let mut processes = vec![watched("this", ProcessIdentity::current())];
    processes.extend(
        postgres
            .process()?
            .map(|identity| watched("postgres", identity)),
    );
    let pids = idle
        .0
        .iter()
        .map(|child| ProcessIdentity::from_pid(child.id()));
    processes.extend(pids.map(|identity| watched("idle", identity)));

    let (mut own, mut database) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let sampler = Sampler::start(Sources {
            processes: processes.clone(),
            database: Some(probe(&url)?),
            ..Sources::default()
        });
        // What is measured is a time in which nothing but the sampler works.
        tokio::time::sleep(ROUND).await;
        let timeline = sampler.finish().await;
        own.push(share(&timeline, "this"));
        database.push(share(&timeline, "postgres"));
    }
    println!(
        "sampler, twice a second, {} processes, a database with {SESSIONS} sessions and {JOBS} unfinished jobs: \
         {:.2} % of a core, and {:.2} % in PostgreSQL (goal: 2 % together)",
        processes.len(),
        median(own),
        median(database)
    );
    pool.close().await;
    Ok(())
}

/// Far longer than a server takes to start on a loaded machine.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// A database with idle sessions and unfinished jobs.
async fn filled(url: &str) -> Result<PgPool> {
    let began = Instant::now();
    while let Err(error) = PgConnection::connect(url).await {
        if began.elapsed() > START_TIMEOUT {
            return Err(error.into());
        }
        // The interval between two attempts; the loop ends at the deadline.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let options = PgPoolOptions::new()
        .min_connections(SESSIONS)
        .max_connections(SESSIONS);
    let pool = options.connect(url).await?;
    pool.execute("CREATE TABLE upload_jobs (status text, state text)")
        .await?;
    let insert =
        "INSERT INTO upload_jobs SELECT 'parse_queued', 'queued' FROM generate_series(1, $1)";
    sqlx::query(insert)
        .bind(i32::try_from(JOBS)?)
        .execute(&pool)
        .await?;
    Ok(pool)
}

fn probe(url: &str) -> Result<ActivityProbe> {
    let default = include_str!("../../../fixtures/contracts/upload_pipeline.toml");
    let overrides = "[database]\nschema = 'public'".parse()?;
    let contract = Contract::parse_with_overrides(default, &overrides, "bench")?;
    let jobs = contract.unfinished_jobs();
    let probe = ActivityProbe::new(&Secret::new(url), &contract.database, jobs.as_deref())?;
    Ok(probe)
}

/// The share of a core that a process used, in percent.
fn share(timeline: &Timeline, name: &str) -> f64 {
    let found = timeline
        .processes
        .iter()
        .find(|process| process.name == name);
    let used = found.map_or(f64::NAN, ProcessSeries::processor);
    used / ROUND.as_secs_f64() * 100.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
