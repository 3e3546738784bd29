//! What is sampled of a real PostgreSQL server, against what its sessions do.

use std::time::Duration;

use cutover_contract::contract::Contract;
use cutover_contract::probe::ActivityProbe;
use cutover_evidence::secret::Secret;
use cutover_stack::Installation;
use cutover_test_support::TestPostgres;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};

use super::{Sampler, Sources, Timeline};

/// A server, with the URL of its database.
fn server() -> (TestPostgres, String) {
    let installation = Installation::find().unwrap();
    let server = TestPostgres::start(&installation.bin);
    let directory = server.socket_directory();
    let url = format!(
        "postgres://postgres@localhost/postgres?host={}",
        directory.display()
    );
    (server, url)
}

/// A contract whose jobs are in `public.upload_jobs`.
fn contract() -> Contract {
    let default = include_str!("../../../../fixtures/contracts/upload_pipeline.toml");
    let overrides = "[database]\nschema = 'public'".parse().unwrap();
    Contract::parse_with_overrides(default, &overrides, "test").unwrap()
}

/// A session, as soon as the server accepts one.
async fn session(url: &str) -> PgConnection {
    let began = std::time::Instant::now();
    loop {
        match PgConnection::connect(url).await {
            Ok(session) => return session,
            Err(error) => assert!(began.elapsed() < START_TIMEOUT, "{error}"),
        }
        // The interval between two attempts; the loop ends at the deadline.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Far longer than a server takes to start on a loaded machine.
const START_TIMEOUT: Duration = Duration::from_mins(1);

fn probe(url: &str) -> ActivityProbe {
    let contract = contract();
    let jobs = contract.unfinished_jobs();
    ActivityProbe::new(&Secret::new(url), &contract.database, jobs.as_deref()).unwrap()
}

fn sampler(url: &str) -> Sampler {
    Sampler::start(Sources {
        database: Some(probe(url)),
        ..Sources::default()
    })
}

fn samples<'a>(timeline: &'a Timeline, name: &str) -> &'a [(f64, f64)] {
    let found = timeline.series.iter().find(|series| series.name == name);
    found.map_or(&[], |series| &series.samples)
}

/// The values of a series within a part of a load.
fn between(timeline: &Timeline, name: &str, from: f64, to: f64) -> Vec<f64> {
    let samples = samples(timeline, name).iter();
    let within = samples.filter(|(at, _)| (from..to).contains(at));
    within.map(|(_, value)| *value).collect()
}

/// The longest time from the beginning of a sample to its query.
const LATE: f64 = 0.4;

#[tokio::test(flavor = "multi_thread")]
async fn a_held_lock_shows_while_it_is_held() {
    let (_server, url) = server();
    let mut holder = session(&url).await;
    let (mut waiter, mut observer) = (session(&url).await, session(&url).await);
    holder.execute("CREATE TABLE held (id int)").await.unwrap();
    let sampler = sampler(&url);
    let began = std::time::Instant::now();
    let now = || began.elapsed().as_secs_f64();
    // The schedule of the load in this test: its times are what the samples are compared with.
    let pass = async |seconds| tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    pass(1.8).await;
    let before = now();
    holder
        .execute("BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let waiting = tokio::spawn(async move {
        waiter.execute("SELECT * FROM held").await.unwrap();
        waiter
    });
    let refused = "SELECT 1 FROM pg_locks WHERE NOT granted";
    while observer.fetch_optional(refused).await.unwrap().is_none() {
        pass(0.02).await;
    }
    let from = now();
    pass(4.0).await;
    let to = now();
    holder.execute("COMMIT").await.unwrap();
    let _waiter = waiting.await.unwrap();
    let after = now();
    pass(2.0).await;
    let timeline = sampler.finish().await;

    for name in [
        "locks not granted",
        "sessions idle in transaction",
        "waits for Lock",
    ] {
        for (from, to, value) in [
            (0.0, before - LATE, 0.0),
            (from, to - LATE, 1.0),
            (after, f64::INFINITY, 0.0),
        ] {
            let values = between(&timeline, name, from, to);
            assert!(!values.is_empty(), "{name} {from} {to}: {timeline:?}");
            assert!(
                values.iter().all(|it| (it - value).abs() < 1e-9),
                "{name} {from} {to}: {timeline:?}"
            );
        }
    }
    // The session of the sampler is not counted.
    let active = between(&timeline, "sessions active", 0.0, before - LATE);
    assert!(active.iter().all(|value| *value < 1e-9), "{timeline:?}");
    assert_eq!(timeline.waits[0].event, "Lock: relation");
    // There is no table of jobs.
    assert_eq!(timeline.not_sampled[0].what, "jobs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_leaves_a_gap_and_no_zero() {
    let (server, url) = server();
    let session = session(&url).await;
    let sampler = sampler(&url);
    // The time of three samples, at 0, 0.5 and 1 s.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    // The server ends first: a session that ends before it would count as none.
    drop((server, session));
    // The time of the samples that must be missing.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let timeline = sampler.finish().await;
    let idle = samples(&timeline, "sessions idle");
    assert!(
        idle.len() >= 2
            && idle
                .iter()
                .all(|(at, value)| *at < 1.6 && (value - 1.0).abs() < 1e-9),
        "{timeline:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_see_sessions_gets_none() {
    let (_server, url) = server();
    let mut owner = session(&url).await;
    owner.execute("CREATE ROLE reader LOGIN").await.unwrap();
    let sampler = sampler(&url.replace("postgres@", "reader@"));
    // The time of several samples, of which the check needs two.
    tokio::time::sleep(Duration::from_millis(1_700)).await;
    let timeline = sampler.finish().await;
    assert_eq!(samples(&timeline, "sessions idle"), []);
    assert!(
        samples(&timeline, "locks not granted").len() >= 2,
        "{timeline:?}"
    );
    let reason = &timeline.not_sampled[1].reason;
    assert!(reason.contains("pg_read_all_stats"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_jobs_are_counted_by_status() {
    let (_server, url) = server();
    let mut owner = session(&url).await;
    let insert = "CREATE TABLE upload_jobs (status text, state text); INSERT INTO upload_jobs VALUES \
         ('parse_queued', 'queued'), ('parse_queued', 'working'), ('embedding', 'working'), \
         ('complete', 'done'), ('duplicate', NULL), ('failed_parse', 'deadletter'), ('failed_parse', 'retryable')";
    owner.execute(insert).await.unwrap();
    let sampler = sampler(&url);
    // The time of the samples before the jobs end.
    tokio::time::sleep(Duration::from_secs(2)).await;
    owner
        .execute("UPDATE upload_jobs SET state = 'done', status = 'complete'")
        .await
        .unwrap();
    // The time of the samples after it.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let timeline = sampler.finish().await;
    for (name, first) in [
        ("jobs in parse_queued", 2.0),
        ("jobs in embedding", 1.0),
        ("jobs in failed_parse", 1.0),
        ("unfinished jobs", 4.0),
    ] {
        let found = samples(&timeline, name);
        let ends = found
            .first()
            .zip(found.last())
            .map(|(one, last)| [one.1, last.1]);
        assert_eq!(ends, Some([first, 0.0]), "{name}: {timeline:?}");
    }
    let jobs = timeline
        .series
        .iter()
        .filter(|series| series.name.contains("jobs"));
    assert_eq!(jobs.count(), 4, "{timeline:?}");
}
