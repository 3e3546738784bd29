//! A PostgreSQL server for one test, with a pool of connections to it.

use std::path::Path;
use std::time::{Duration, Instant};

use cutover_test_support::TestPostgres;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use cutover_stack::Installation;

/// A server that is stopped, with its directory removed, when this is dropped.
pub(crate) struct Cluster {
    _server: TestPostgres,
}

impl Cluster {
    /// Starts a server.
    pub(crate) async fn start() -> (Self, PgPool) {
        let installation = Installation::find().unwrap();
        let server = TestPostgres::start(&installation.bin);
        let pool = connected(&server.socket_directory()).await;
        (Self { _server: server }, pool)
    }
}

async fn connected(directory: &Path) -> PgPool {
    let options = PgConnectOptions::new_without_pgpass()
        .socket(directory)
        .username("postgres");
    let options = options.database("postgres");
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .connect_lazy_with(options);
    let started = Instant::now();
    while let Err(error) = sqlx::query("SELECT 1").execute(&pool).await {
        assert!(started.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    pool
}
