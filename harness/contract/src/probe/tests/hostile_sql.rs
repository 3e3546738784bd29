//! The SQL probe against servers that violate the PostgreSQL protocol: the result is *could not tell*, in time.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::recorded::TestJournal;
use super::wire::RawServer;
use crate::contract::DatabaseLayout;
use crate::probe::{Database, DatabaseError, pool};
use cutover_evidence::secret::Secret;
use cutover_reports::record::Evidence;

/// Accepts the login, and reports that the server is ready for a query.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// Reads a client's first message.
async fn startup(stream: &mut TcpStream) {
    let length = stream.read_u32().await.unwrap_or(4);
    let mut rest = vec![0; length.saturating_sub(4) as usize];
    let _ = stream.read_exact(&mut rest).await;
}

/// A server that answers the first message with `first`, and every later message with `later` unless it closes the connection.
async fn server(first: &'static [u8], later: &'static [u8], closes: bool) -> RawServer {
    RawServer::new(move |mut stream, _| async move {
        startup(&mut stream).await;
        let _ = stream.write_all(first).await;
        while !closes
            && stream
                .read(&mut [0; 4_096])
                .await
                .is_ok_and(|read| read > 0)
        {
            let _ = stream.write_all(later).await;
        }
    })
    .await
}

/// The error of a query at this server, after the query was recorded.
async fn failure(wire: &RawServer) -> DatabaseError {
    let recorded = TestJournal::new();
    let port = wire.url.port().unwrap();
    let url = format!("postgres://nobody@127.0.0.1:{port}/none?sslmode=disable");
    let pool = pool(&Secret::new(url)).unwrap();
    let database = Database::new(
        pool,
        &DatabaseLayout::in_schema("s"),
        recorded.recorder.clone(),
    );
    let error = database.rows::<Value>("SELECT 1 AS one", &[]).await;
    let evidence = recorded.evidence();
    let [Evidence::Sql(query)] = evidence.as_slice() else {
        panic!("expected one query, not {evidence:?}")
    };
    assert!(query.error.is_some());
    error.unwrap_err()
}

#[tokio::test]
async fn a_server_that_is_not_postgresql_means_could_not_tell() {
    let responses: [(&[u8], &[u8], bool); 7] = [
        (b"", b"", true),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", true),
        (b"SSH-2.0-OpenSSH\r\n", b"", true),
        (b"R\0\0\0\x03", b"", true),
        (b"R\xff\xff\xff\xff\0\0\0\0", b"", true),
        (b"E\0\0\0\x10SFATAL\0\xff\xfe\0\0", b"", true),
        (WELCOME, b"Z\0\0\0\x05I", false),
    ];
    for (first, later, closes) in responses {
        let error = failure(&server(first, later, closes).await).await;
        let name = String::from_utf8_lossy(first);
        assert!(
            matches!(
                error,
                DatabaseError::Query { .. } | DatabaseError::Protocol { .. }
            ),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_at_a_silent_database_times_out() {
    let silent = failure(&server(b"", b"", false).await).await;
    assert!(matches!(silent, DatabaseError::Query { .. }), "{silent:?}");
    let negative_column_count = b"T\0\0\0\x06\xff\xff";
    for later in [&b""[..], negative_column_count] {
        let error = failure(&server(WELCOME, later, false).await).await;
        assert!(matches!(error, DatabaseError::TimedOut { .. }), "{error:?}");
    }
}
