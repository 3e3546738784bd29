//! The SQL probe against a real PostgreSQL server.

use cutover_reports::record::Evidence;
use serde_json::{Value, json};
use uuid::Uuid;

use super::cluster::Cluster;
use super::recorded::TestJournal;
use crate::contract::DatabaseLayout;
use crate::probe::{Database, DatabaseError, Parameter};

#[tokio::test]
async fn queries_are_read_only_recorded_and_typed() {
    let (_cluster, pool) = Cluster::start().await;
    let recorded = TestJournal::new();
    let database = Database::new(
        pool,
        &DatabaseLayout::in_schema("public"),
        recorded.recorder.clone(),
    );

    let parameters = [
        Parameter::Uuids(Some(vec![Uuid::nil()])),
        "a'b".into(),
        7.into(),
    ];
    let rows: Vec<Value> = database
        .rows(
            "SELECT unnest($1::uuid[]) AS id, $2 AS text, $3 AS number, 'NaN'::real AS odd",
            &parameters,
        )
        .await
        .unwrap();
    assert_eq!(rows[0]["id"], Uuid::nil().to_string());
    assert_eq!(
        (&rows[0]["text"], &rows[0]["number"], &rows[0]["odd"]),
        (&"a'b".into(), &7.into(), &"NaN".into())
    );
    assert_eq!(
        database
            .count("SELECT generate_series(1, 30)", &[])
            .await
            .unwrap(),
        30
    );

    let refused = database
        .rows::<Value>("SELECT 1 FROM pg_class FOR UPDATE", &[])
        .await
        .unwrap_err();
    let DatabaseError::Query { source, .. } = refused else {
        panic!("expected a query error, not {refused}")
    };
    assert!(
        source.to_string().contains("read-only transaction"),
        "{source}"
    );

    let evidence = recorded.evidence();
    let [Evidence::Sql(first), _, Evidence::Sql(last)] = evidence.as_slice() else {
        panic!("expected three queries, not {evidence:?}")
    };
    assert_eq!(
        first.parameters,
        ["{00000000-0000-0000-0000-000000000000}", "a'b", "7"]
    );
    assert_eq!((first.row_count, &first.error), (1, &None));
    assert!(
        last.error
            .as_ref()
            .unwrap()
            .contains("read-only transaction")
    );
}

#[tokio::test]
async fn a_query_as_another_role_has_its_privileges_and_claims() {
    let (_cluster, pool) = Cluster::start().await;
    let recorded = TestJournal::new();
    let database = Database::new(
        pool,
        &DatabaseLayout::in_schema("public"),
        recorded.recorder.clone(),
    );
    let acting = database.acting_as("pg_monitor", json!({"sub": "someone"}));
    let query = "SELECT current_user::text AS who, current_setting('request.jwt.claims') AS claims";
    let rows: Vec<Value> = acting.rows(query, &[]).await.unwrap();
    assert_eq!(rows[0]["who"], "pg_monitor");
    assert_eq!(rows[0]["claims"], "{\"sub\":\"someone\"}");
    let denied = acting
        .rows::<Value>("SELECT rolpassword FROM pg_authid", &[])
        .await
        .unwrap_err();
    assert!(denied.is_denied(), "{denied}");
    // The next transaction on the same connection uses the connected role again.
    let rows: Vec<Value> = database
        .rows("SELECT current_user::text AS who", &[])
        .await
        .unwrap();
    assert_eq!(rows[0]["who"], "postgres");
    let evidence = recorded.evidence();
    let Some(Evidence::Sql(first)) = evidence.first() else {
        panic!("expected a query, not {evidence:?}")
    };
    assert!(first.sql.contains("-- as pg_monitor with"), "{}", first.sql);
}
