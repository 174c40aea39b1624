//! Who may do what: nobody changes what the ledger has, and who folds changes no table.

use sqlx::{Connection, Executor, PgConnection};
use store::{PostgresStore, Spread, Store, StoreError};

use super::place::{Place, SCHEMA, connect};
use crate::fixtures::*;

/// A database with its own roles, and the URLs of a user who folds and of one who looks.
async fn with_users() -> (Place, [String; 2]) {
    let place = Place::empty().await;
    PostgresStore::migrate(&place.url(), SCHEMA).await.unwrap();
    let name = &place.name;
    let users = [("folds", "projector"), ("looks", "reader")].map(|(user, role)| {
        let make = format!(
            "create role {name}_{user} login password 'known' in role {name}_{role}; \
             grant connect on database {name} to {name}_{user}"
        );
        let (before, after) = services::postgres().split_once("://").unwrap();
        let host = after.split('/').next().unwrap();
        let host = host.rsplit('@').next().unwrap();
        (make, format!("{before}://{name}_{user}:known@{host}/{name}"))
    });
    let mut connection = place.connection().await;
    for (make, _) in &users {
        connection.execute(make.as_str()).await.unwrap();
    }
    connection.close().await.unwrap();
    (place, users.map(|(_, url)| url))
}

/// The code of the error that a statement ends with.
async fn code(connection: &mut PgConnection, statement: &str) -> String {
    let error = connection.execute(statement).await.expect_err(statement);
    error.as_database_error().expect(statement).code().expect(statement).into_owned()
}

const NOT_ALLOWED: &str = "42501";

#[tokio::test]
async fn who_folds_does_all_a_projector_does_and_no_more() {
    let (_place, [folds, _]) = with_users().await;
    let store = PostgresStore::connect(&folds, SCHEMA).await.unwrap();
    let head = store.claim("a", FIRST, LOG, 1_000).await.unwrap().unwrap();
    let first = everything(&head);
    store.commit(&first).await.unwrap();
    assert_eq!(rows(&store, FIRST).await, rows_of(&first));
    let mut large = usages(&first.head, 70_000, 10);
    large.filters = first.filters.clone();
    store.commit(&large).await.unwrap();
    // What is tidied up: ids are sorted, and the trail is extended.
    store.commit(&usages(&large.head, 3, 2)).await.unwrap();
    store.beat("a", 1_000).await.unwrap();
    store.release("a", FIRST).await.unwrap();
    store.leave("a").await.unwrap();
    store.acquire(FIRST, LOG).await.unwrap();
    for _ in 0..2 {
        let stores = Spread::one(PostgresStore::connect(&folds, SCHEMA).await.unwrap());
        stores.costs(FIRST, large.head.next).await.unwrap().keep().await.unwrap();
    }

    let mut connection = connect(&folds).await;
    for statement in [
        "create table more (n int)",
        "alter table wallet add n int",
        "drop table filter",
        "drop trigger stays on entry_0",
        "alter table record_0 disable trigger stays",
        "create index on record_0 (id)",
        "update record set outcome = 1",
        "update entry_0 set amount = 0",
        "delete from entry",
        "delete from record_0",
        "truncate entry",
        "truncate record_0",
        "delete from wallet",
        "delete from head",
        "update granted set amount = 0",
        "drop schema drawdown cascade",
        "insert into _sqlx_migrations values (9, '', now(), true, '', 0)",
    ] {
        assert_eq!(code(&mut connection, statement).await, NOT_ALLOWED, "{statement}");
    }
    assert!(matches!(PostgresStore::remove(&folds, SCHEMA).await, Err(StoreError::Database(_))));
}

#[tokio::test]
async fn who_looks_sees_everything_and_writes_nothing() {
    let (place, [_, looks]) = with_users().await;
    let store = place.store().await;
    let batch = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&batch).await.unwrap();
    let reader = PostgresStore::connect(&looks, SCHEMA).await.unwrap();
    assert_eq!(rows(&reader, FIRST).await, rows_of(&batch));
    assert!(matches!(reader.acquire(FIRST, LOG).await, Err(StoreError::Database(_))));
    assert!(matches!(reader.commit(&usages(&batch.head, 3, 2)).await, Err(StoreError::Database(_))));
    assert!(matches!(reader.commit(&usages(&batch.head, 3_000, 2)).await, Err(StoreError::Database(_))));
    let mut connection = connect(&looks).await;
    let views = "select viewname from pg_views where schemaname = 'drawdown'";
    for view in place.sql(views).await.into_iter().flatten().flatten() {
        connection.execute(format!("select * from {view}").as_str()).await.unwrap();
    }
    connection.execute("select * from wallet_entries('wallet-0000')").await.unwrap();
    for statement in [
        "select open_partition(7)",
        "delete from entry",
        "insert into node values ('a', now())",
        "delete from vendor_cost",
    ] {
        assert_eq!(code(&mut connection, statement).await, NOT_ALLOWED, "{statement}");
    }
    assert_eq!(rows(&store, FIRST).await, rows_of(&batch));
}

#[tokio::test]
async fn not_even_the_owner_changes_what_the_ledger_has() {
    let place = Place::new().await;
    let store = place.store().await;
    let batch = everything(&store.acquire(FIRST, LOG).await.unwrap());
    store.commit(&batch).await.unwrap();
    let mut connection = place.connection().await;
    for table in ["record", "entry", "record_0", "entry_0"] {
        for statement in ["update {} set partition = 0", "delete from {}", "truncate {}"] {
            let statement = statement.replace("{}", table);
            assert_eq!(code(&mut connection, &statement).await, NOT_ALLOWED, "{statement}");
        }
    }
    assert_eq!(rows(&store, FIRST).await, rows_of(&batch));
}
