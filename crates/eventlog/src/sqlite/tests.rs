//! What a log does when SQLite fails it: the failures are made by settings that only its own connections can have.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;

use super::*;

const P0: Partition = Partition(0);

fn to_first(bytes: Vec<u8>) -> Vec<Appending> {
    vec![Appending { partition: P0, bytes }]
}

async fn log_with(options: SqliteConnectOptions) -> SqliteLog {
    SqliteLog::start(options.connect().await.unwrap(), options, 1)
}

/// A new log's file, and a connection to it beside the log's own.
async fn file(directory: &tempfile::TempDir) -> (SqliteConnectOptions, SqliteConnection) {
    let path = directory.path().join("log.db");
    SqliteLog::create(&path, vec![b"g".to_vec()], Durability::Power).await.unwrap().close().await.unwrap();
    let options = options(&path, Durability::Power).unwrap();
    let connection = options.connect().await.unwrap();
    (options, connection)
}

async fn run(connection: &mut SqliteConnection, sql: &str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

/// Holds that nothing but the genesis and `appended` records is there, and that it can be read.
async fn holds(log: &SqliteLog, appended: usize) {
    let stretch = log.read(P0, Offset(0), 100_000).await.unwrap();
    assert_eq!(stretch.len(), 1 + appended);
    assert_eq!(stretch.get(0), b"g");
    assert_eq!(log.end(P0).await.unwrap(), stretch.next());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_to_every_caller_and_appends_go_on_when_there_is_space() {
    let directory = tempfile::tempdir().unwrap();
    let (options, mut other) = file(&directory).await;
    run(&mut other, "create table ballast (b blob); insert into ballast values (zeroblob(4000000))").await;
    let pages: i64 = sqlx::query_scalar("pragma page_count").fetch_one(&mut other).await.unwrap();
    let log = std::sync::Arc::new(log_with(options.pragma("max_page_count", pages.to_string())).await);

    for _ in 0..2 {
        let callers: Vec<_> = (0..64)
            .map(|_| {
                let log = std::sync::Arc::clone(&log);
                tokio::spawn(async move { log.append(to_first(vec![1; 100_000])).await })
            })
            .collect();
        for caller in callers {
            let answer = caller.await.unwrap();
            assert!(matches!(answer, Err(LogError::Full)), "{answer:?}");
        }
        // More rows than one statement takes.
        let many = (0..20_000).map(|_| Appending { partition: P0, bytes: vec![1; 10] }).collect();
        let answer = log.append(many).await;
        assert!(matches!(answer, Err(LogError::Full)), "{answer:?}");
        holds(&log, 0).await;
    }

    run(&mut other, "drop table ballast").await;
    assert_eq!(log.append(to_first(vec![2; 100_000])).await.unwrap()[0].offset, Offset(1));
    let many = (0..20_000).map(|_| Appending { partition: P0, bytes: vec![1; 10] }).collect();
    assert_eq!(log.append(many).await.unwrap()[0].offset, Offset(2));
    holds(&log, 20_001).await;
}

#[tokio::test]
async fn a_lock_that_another_keeps_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (options, mut other) = file(&directory).await;
    let log = log_with(options.busy_timeout(Duration::from_millis(20))).await;
    run(&mut other, "begin immediate").await;
    for records in [1, 20_000] {
        let records = (0..records).map(|_| Appending { partition: P0, bytes: b"a".to_vec() }).collect();
        let answer = log.append(records).await;
        assert!(matches!(answer, Err(LogError::Busy)), "{answer:?}");
    }
    holds(&log, 0).await;
    run(&mut other, "rollback").await;
    log.append(to_first(b"a".to_vec())).await.unwrap();
    holds(&log, 1).await;
}

#[tokio::test]
async fn after_a_failure_the_log_appends_on() {
    let directory = tempfile::tempdir().unwrap();
    let (options, mut other) = file(&directory).await;
    let log = log_with(options).await;
    run(&mut other, "alter table segment rename to gone").await;
    for _ in 0..2 {
        let answer = log.append(to_first(b"a".to_vec())).await;
        assert!(matches!(answer, Err(LogError::Database(_))), "{answer:?}");
    }
    run(&mut other, "alter table gone rename to segment").await;
    log.append(to_first(b"a".to_vec())).await.unwrap();
    holds(&log, 1).await;
}

#[test]
fn a_commit_that_may_have_happened_is_never_called_failed() {
    let lost = LogError::of_commit(sqlx::Error::WorkerCrashed);
    assert!(matches!(lost, LogError::Unknown(_)), "{lost:?}");
}

#[tokio::test]
async fn a_commit_is_synced_where_it_must_survive_the_loss_of_power() {
    let directory = tempfile::tempdir().unwrap();
    file(&directory).await.1.close().await.unwrap();
    // 2 is `full`: sync at each commit. 1 is `normal`: only when the write-ahead log is moved into the file.
    for (durability, expected) in [(Durability::Power, 2), (Durability::Process, 1)] {
        let options = options(&directory.path().join("log.db"), durability).unwrap();
        let mut connection = options.connect().await.unwrap();
        let synchronous: i64 =
            sqlx::query_scalar("pragma synchronous").fetch_one(&mut connection).await.unwrap();
        let journal: String =
            sqlx::query_scalar("pragma journal_mode").fetch_one(&mut connection).await.unwrap();
        assert_eq!((synchronous, journal.as_str()), (expected, "wal"));
    }
}
