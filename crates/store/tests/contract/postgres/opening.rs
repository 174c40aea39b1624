//! Whose tables they are, and where.

use ledger::Offset;
use sqlx::Executor;
use store::{PostgresStore, Store, StoreError};

use super::place::{Place, SCHEMA};
use crate::fixtures::*;

#[tokio::test]
async fn what_was_committed_stays() {
    let place = Place::new().await;
    let store = place.store().await;
    let batch = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&batch).await.unwrap();
    store.close().await.unwrap();
    PostgresStore::migrate(&place.url(), SCHEMA).await.unwrap();
    let store = place.store().await;
    assert_eq!(rows(&store, FIRST).await, rows_of(&batch));
    let taken = store.acquire(FIRST, LOG).await.unwrap();
    assert_eq!(taken, raised(&taken, &batch.head));
}

#[tokio::test]
async fn no_epoch_is_given_out_again_after_a_restore() {
    let place = Place::new().await;
    let store = place.store().await;
    let dumped = store.claim("a", FIRST, LOG, 0).await.unwrap().unwrap();
    let lost = store.claim("b", FIRST, LOG, 0).await.unwrap().unwrap();
    // What the table has once a dump was restored: the row of then, and after an older dump none.
    place.sql(&format!("update head set epoch = {}", dumped.epoch)).await;
    let taken = store.claim("c", FIRST, LOG, 0).await.unwrap().unwrap();
    assert_eq!(taken, raised(&taken, &lost));
    place.sql("delete from head").await;
    let again = store.acquire(FIRST, LOG).await.unwrap();
    assert_eq!(again, raised(&again, &taken));
    // A database whose clock was set back still raises it.
    let ahead = again.epoch + 3_600_000_000;
    place.sql(&format!("update head set epoch = {ahead}")).await;
    assert_eq!(store.acquire(FIRST, LOG).await.unwrap().epoch, ahead + 1);
    assert_eq!(store.claim("c", FIRST, LOG, 0).await.unwrap().unwrap().epoch, ahead + 2);
}

#[tokio::test]
async fn a_database_without_tables_asks_for_a_migration() {
    let place = Place::empty().await;
    let refused = PostgresStore::connect(&place.url(), SCHEMA).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unmigrated { version: 1 }), "{refused}");
    assert!(refused.to_string().contains("run `drawdown migrate`"));
    PostgresStore::migrate(&place.url(), SCHEMA).await.unwrap();
    let store = place.store().await;
    store.commit(&everything(&store.acquire(FIRST, LOG).await.unwrap())).await.unwrap();
}

#[tokio::test]
async fn tables_of_another_build_are_refused() {
    let place = Place::new().await;
    let mut connection = place.connection().await;
    connection.execute("update _sqlx_migrations set checksum = '\\x00' where version = 2").await.unwrap();
    let refused = [
        PostgresStore::connect(&place.url(), SCHEMA).await.map(drop).unwrap_err(),
        PostgresStore::migrate(&place.url(), SCHEMA).await.unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, StoreError::OtherTables { version: 2 }), "{error}");
    }
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                 values (9000, 'to come', true, '\\x00', 0)";
    connection.execute(newer).await.unwrap();
    let refused = [
        PostgresStore::connect(&place.url(), SCHEMA).await.map(drop).unwrap_err(),
        PostgresStore::migrate(&place.url(), SCHEMA).await.unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, StoreError::Newer { version: 9000 }), "{error}");
    }
    connection.execute("delete from _sqlx_migrations where version > 1").await.unwrap();
    let refused = PostgresStore::connect(&place.url(), SCHEMA).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unmigrated { version: 2 }), "{refused}");
}

#[tokio::test]
async fn schemas_are_beside_each_other_and_dropped_as_a_whole() {
    let place = Place::new().await;
    PostgresStore::migrate(&place.url(), "shadow").await.unwrap();
    let (live, shadow) = (place.store().await, PostgresStore::connect(&place.url(), "shadow").await.unwrap());
    let batch = everything(&live.acquire(FIRST, LOG).await.unwrap());
    live.commit(&batch).await.unwrap();
    assert_eq!(shadow.head(FIRST).await.unwrap(), None);
    let other = usages(&shadow.acquire(FIRST, LOG).await.unwrap(), 3_000, 4);
    shadow.commit(&other).await.unwrap();
    assert_eq!(shadow.head(FIRST).await.unwrap().unwrap().next, Offset(3_000));
    shadow.close().await.unwrap();
    PostgresStore::remove(&place.url(), "shadow").await.unwrap();
    PostgresStore::remove(&place.url(), "shadow").await.unwrap();
    assert!(matches!(
        PostgresStore::connect(&place.url(), "shadow").await,
        Err(StoreError::Unmigrated { version: 1 })
    ));
    assert_eq!(rows(&live, FIRST).await, rows_of(&batch));
}

#[tokio::test]
async fn a_name_that_would_need_quotes_is_refused() {
    for name in ["", "Drawdown", "a b", "1st", "_a", "a;drop table x", "é", &"a".repeat(41)] {
        let refused = PostgresStore::migrate(services::postgres(), name).await.unwrap_err();
        assert!(matches!(refused, StoreError::SchemaName { .. }), "{name:?}: {refused}");
    }
}

#[tokio::test]
async fn no_server_is_said_to_be_none() {
    let nobody = PostgresStore::connect("postgres://nobody@127.0.0.1:1/none", SCHEMA).await.unwrap_err();
    assert!(matches!(nobody, StoreError::Unreachable(_)), "{nobody:?}");
}

#[tokio::test]
async fn what_the_database_says_has_a_name() {
    let place = Place::new().await;
    let store = place.store().await;
    let first = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&first).await.unwrap();
    let before = rows(&store, FIRST).await;
    let mut connection = place.connection().await;
    for (code, large) in [("53100", false), ("53100", true), ("XX001", false), ("22003", true)] {
        let raise = format!(
            "create or replace function fail() returns trigger language plpgsql as \
             $$ begin raise exception 'as it were' using errcode = '{code}'; end $$; \
             create or replace trigger fails before insert on wallet execute function fail()"
        );
        connection.execute(raise.as_str()).await.unwrap();
        let batch = usages(&first.head, if large { 3_000 } else { 3 }, 2);
        let error = store.commit(&batch).await.unwrap_err();
        let is_right = match code {
            "53100" => matches!(error, StoreError::Full),
            "XX001" => matches!(error, StoreError::Corrupt(_)),
            _ => matches!(error, StoreError::Database(_)),
        };
        assert!(is_right, "{code}: {error:?}");
        assert_eq!(rows(&store, FIRST).await, before);
    }
    connection.execute("drop trigger fails on wallet").await.unwrap();
    let batch = usages(&first.head, 3_000, 2);
    store.commit(&batch).await.unwrap();
    assert_eq!(store.head(FIRST).await.unwrap(), Some(batch.head));
}

#[tokio::test]
async fn an_amount_that_is_no_number_is_refused() {
    let place = Place::new().await;
    let store = place.store().await;
    let mut batch = usages(&store.acquire(FIRST, LOG).await.unwrap(), 3, 2);
    batch.entries[1].amount = "1e3".into();
    let refused = store.commit(&batch).await.unwrap_err();
    assert!(matches!(refused, StoreError::Database(sqlx::Error::Encode(_))), "{refused:?}");
    batch.entries[1].amount = "1000".into();
    store.commit(&batch).await.unwrap();
}
