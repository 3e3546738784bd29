//! The SQL probe against servers that are no database, or one that has lost its mind: it could not tell, in time.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::recorded::Recorded;
use super::wire::Wire;
use crate::probe::{Database, DatabaseError, pool};
use cutover_evidence::secret::Secret;
use cutover_reports::record::Evidence;

/// Lets everybody in, and is ready for a query.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// Reads a client's first message.
async fn startup(stream: &mut TcpStream) {
    let length = stream.read_u32().await.unwrap_or(4);
    let mut rest = vec![0; length.saturating_sub(4) as usize];
    let _ = stream.read_exact(&mut rest).await;
}

/// A server that says this to the first message and this to every later one, and hangs up if it is to.
async fn server(first: &'static [u8], later: &'static [u8], hangs_up: bool) -> Wire {
    Wire::new(move |mut stream, _| async move {
        startup(&mut stream).await;
        let _ = stream.write_all(first).await;
        while !hangs_up
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

/// Why a query at this server gives no rows, once that has been recorded.
async fn failure(wire: &Wire) -> DatabaseError {
    let recorded = Recorded::new();
    let port = wire.url.port().unwrap();
    let url = format!("postgres://nobody@127.0.0.1:{port}/none?sslmode=disable");
    let pool = pool(&Secret::new(url)).unwrap();
    let database = Database::new(pool, "s", recorded.recorder.clone());
    let error = database.rows::<Value>("SELECT 1 AS one", &[]).await;
    let evidence = recorded.evidence();
    let [Evidence::Sql(query)] = evidence.as_slice() else {
        panic!("expected one query, not {evidence:?}")
    };
    assert!(query.error.is_some());
    error.unwrap_err()
}

#[tokio::test]
async fn what_is_no_database_leaves_the_question_open() {
    let answers: [(&[u8], &[u8], bool); 7] = [
        (b"", b"", true),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", true),
        (b"SSH-2.0-OpenSSH\r\n", b"", true),
        (b"R\0\0\0\x03", b"", true),
        (b"R\xff\xff\xff\xff\0\0\0\0", b"", true),
        (b"E\0\0\0\x10SFATAL\0\xff\xfe\0\0", b"", true),
        (WELCOME, b"Z\0\0\0\x05I", false),
    ];
    for (first, later, hangs_up) in answers {
        let error = failure(&server(first, later, hangs_up).await).await;
        let name = String::from_utf8_lossy(first);
        assert!(
            matches!(
                error,
                DatabaseError::Query { .. } | DatabaseError::Garbled { .. }
            ),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_says_nothing_is_not_waited_for() {
    let mute = failure(&server(b"", b"", false).await).await;
    assert!(matches!(mute, DatabaseError::Query { .. }), "{mute:?}");
    let columns_below_zero = b"T\0\0\0\x06\xff\xff";
    for later in [&b""[..], columns_below_zero] {
        let error = failure(&server(WELCOME, later, false).await).await;
        assert!(matches!(error, DatabaseError::Silent { .. }), "{error:?}");
    }
}
