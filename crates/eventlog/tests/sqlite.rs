//! What the log in a file promises beyond the contract of every log.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eventlog::{Appending, Durability, EventLog, LogError, SqliteLog};
use ledger::{Offset, Partition};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

const P0: Partition = Partition(0);
const P1: Partition = Partition(1);

/// A place for a log, gone when dropped.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("log.db")
    }

    fn files(&self) -> Vec<String> {
        let mut files: Vec<_> = std::fs::read_dir(self.0.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        files
    }

    async fn create(&self) -> SqliteLog {
        SqliteLog::create(&self.path(), vec![b"g0".to_vec(), b"g1".to_vec()], Durability::Power)
            .await
            .unwrap()
    }

    /// With nothing of it in memory.
    async fn anew(&self, log: SqliteLog) -> SqliteLog {
        log.close().await.unwrap();
        self.open().await.unwrap()
    }

    async fn open(&self) -> Option<SqliteLog> {
        SqliteLog::open(&self.path(), Durability::Power).await.unwrap()
    }

    /// Runs statements on the file, behind the log's back.
    async fn sql(&self, sql: &str) {
        let options = SqliteConnectOptions::new().filename(self.path()).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

fn to(partition: Partition, text: impl Into<String>) -> Appending {
    Appending { partition, bytes: text.into().into_bytes() }
}

async fn texts(log: &SqliteLog, partition: Partition) -> Vec<String> {
    let stretch = log.read(partition, Offset(0), usize::MAX).await.unwrap();
    stretch.iter().map(|(_, record)| String::from_utf8(record.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn a_log_begins_with_its_genesis_and_is_there_when_opened_again() {
    let place = Place::new();
    let log = place.create().await;
    assert_eq!(log.partitions(), 2);
    assert_eq!(texts(&log, P0).await, ["g0"]);
    log.append(vec![to(P1, "a"), to(P1, "b")]).await.unwrap();
    log.close().await.unwrap();

    let log = place.open().await.unwrap();
    assert_eq!(log.partitions(), 2);
    assert_eq!(texts(&log, P1).await, ["g1", "a", "b"]);
    assert_eq!(log.append(vec![to(P1, "c")]).await.unwrap()[0].offset, Offset(3));
}

#[tokio::test]
async fn no_log_is_there_without_a_file_or_a_genesis() {
    let place = Place::new();
    assert!(place.open().await.is_none());
    assert!(place.files().is_empty(), "looking for a log makes no file");

    // A file that never got as far as its genesis: a process may have ended there.
    std::fs::write(place.path(), b"").unwrap();
    assert!(place.open().await.is_none());
    place.create().await.close().await.unwrap();
    place.sql("delete from segment").await;
    assert!(place.open().await.is_none());
    place.create().await;
    assert!(place.open().await.is_some());
}

#[tokio::test]
async fn a_log_is_never_made_over_another() {
    let place = Place::new();
    let first = place.create().await;
    let again = SqliteLog::create(&place.path(), vec![b"x".to_vec(); 5], Durability::Power).await;
    assert!(matches!(again, Err(LogError::Exists { path }) if path == place.path()));
    assert_eq!(texts(&first, P0).await, ["g0"]);

    let none = SqliteLog::create(&place.path(), Vec::new(), Durability::Power).await;
    assert!(matches!(none, Err(LogError::Empty { partition: P0 })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_make_the_same_log_one_does() {
    let place = Place::new();
    let make = |name: &'static str| {
        let path = place.path();
        tokio::spawn(async move { SqliteLog::create(&path, vec![name.into()], Durability::Power).await })
    };
    let (a, b) = (make("a"), make("b"));
    let (mut made, mut refused) = (Vec::new(), Vec::new());
    for attempt in [a, b] {
        match attempt.await.unwrap() {
            Ok(log) => made.push(log),
            Err(error) => refused.push(error),
        }
    }
    assert!(matches!(refused[..], [LogError::Exists { .. } | LogError::Busy]), "{refused:?}");
    assert_eq!(made.len(), 1);
    assert_eq!(texts(&made[0], P0).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_handles_append_to_one_file_as_two_processes_do() {
    const APPENDS: usize = 100;
    let place = Place::new();
    let logs = [Arc::new(place.create().await), Arc::new(place.open().await.unwrap())];
    let appenders = (0..8).map(|appender| {
        let log = Arc::clone(&logs[appender % 2]);
        tokio::spawn(async move {
            for append in 0..APPENDS {
                let text = format!("{appender} {append:03}");
                let position = log.append(vec![to(P0, &text)]).await.unwrap()[0];
                let read = log.read(P0, position.offset, 1).await.unwrap();
                assert_eq!(read.get(0), text.as_bytes(), "at {position}");
            }
        })
    });
    for appender in appenders.collect::<Vec<_>>() {
        appender.await.unwrap();
    }

    for log in &logs {
        let mut all = texts(log, P0).await;
        assert_eq!(all.remove(0), "g0");
        // A stable sort by appender shows each one's records in the order of the log.
        all.sort_by_key(|text| text[..1].to_owned());
        let expected: Vec<_> = (0..8)
            .flat_map(|appender| (0..APPENDS).map(move |append| format!("{appender} {append:03}")))
            .collect();
        assert_eq!(all, expected);
    }
}

#[tokio::test]
async fn a_closed_log_is_one_file_and_refuses() {
    let place = Place::new();
    let log = place.create().await;
    log.append(vec![to(P0, "a")]).await.unwrap();
    assert!(place.files().len() > 1, "until then there is a write-ahead log");
    log.close().await.unwrap();
    assert_eq!(place.files(), ["log.db"]);

    assert!(matches!(log.append(vec![to(P0, "b")]).await, Err(LogError::Closed)));
    assert!(matches!(log.read(P0, Offset(0), 1).await, Err(LogError::Closed)));
    assert!(matches!(log.end(P0).await, Err(LogError::Closed)));
    log.close().await.unwrap();
    assert_eq!(texts(&place.open().await.unwrap(), P0).await, ["g0", "a"]);
}

#[tokio::test]
async fn what_was_asked_for_is_appended_although_nobody_waits() {
    let place = Place::new();
    let log = place.create().await;
    for text in ["a", "b"] {
        tokio::select! {
            biased;
            answer = log.append(vec![to(P0, text)]) => panic!("{answer:?} without waiting"),
            () = async {} => {}
        }
    }
    drop(log);

    let log = place.open().await.unwrap();
    let appended = async {
        while log.end(P0).await.unwrap() < Offset(3) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), appended).await.unwrap();
    assert_eq!(texts(&log, P0).await, ["g0", "a", "b"]);
}

#[tokio::test]
async fn a_large_append_is_one_transaction() {
    let place = Place::new();
    let log = place.create().await;
    let records: Vec<_> = (0..40_000).map(|number| to(Partition(number % 2), number.to_string())).collect();
    let positions = log.append(records.clone()).await.unwrap();
    assert_eq!(positions.len(), records.len());
    for (position, record) in positions.iter().zip(&records).step_by(997) {
        let read = log.read(position.partition, position.offset, 1).await.unwrap();
        assert_eq!(read.get(0), record.bytes, "at {position}");
    }
    assert_eq!(log.end(P1).await.unwrap(), Offset(20_001));
}

#[tokio::test]
async fn a_damaged_row_is_named_and_what_is_before_it_is_read() {
    let place = Place::new();
    let log = place.create().await;
    for append in 0..3 {
        log.append((0..10).map(|n| to(P0, format!("{append}.{n}"))).collect()).await.unwrap();
    }
    place.sql("update segment set records = substr(records, 1, length(records) - 1) where first = 11").await;
    let log = place.anew(log).await;

    assert_eq!(log.read(P0, Offset(0), 11).await.unwrap().len(), 11);
    for from in [0, 11, 15] {
        let error = log.read(P0, Offset(from), 100).await.unwrap_err();
        assert!(matches!(error, LogError::Corrupt { partition: P0, at: Offset(11) }), "{error:?}");
    }
    assert_eq!(log.read(P0, Offset(21), 100).await.unwrap().len(), 10);
}

#[test]
fn a_file_whose_holes_are_read_over_is_noticed() {
    let complaints = ["unwrap_err", "assertion failed"];
    let test = "a_missing_row_is_a_hole";
    mutants::must_be_caught(mutants::Mutant::HoleIgnored, test, &[], &complaints);
}

#[tokio::test]
async fn a_missing_row_is_a_hole() {
    let place = Place::new();
    let log = place.create().await;
    for append in 0..3 {
        log.append((0..10).map(|n| to(P0, format!("{append}.{n}"))).collect()).await.unwrap();
    }
    place.sql("delete from segment where partition = 0 and first = 11").await;
    let log = place.anew(log).await;
    for from in [0, 11, 15] {
        let error = log.read(P0, Offset(from), 100).await.unwrap_err();
        assert!(matches!(error, LogError::Hole { partition: P0, at: Offset(11) }), "from {from}: {error:?}");
    }
    assert_eq!(log.read(P0, Offset(5), 6).await.unwrap().len(), 6);

    place
        .sql("delete from segment where partition = 1; insert into segment values (1, 5, 1, x'00000000')")
        .await;
    let error = log.read(P1, Offset(2), 100).await.unwrap_err();
    assert!(matches!(error, LogError::Hole { partition: P1, at: Offset(0) }), "{error:?}");
}

#[tokio::test]
async fn a_file_of_a_newer_build_is_left_alone() {
    let place = Place::new();
    place.create().await.close().await.unwrap();
    place.sql("insert into _sqlx_migrations values (9999, 'later', 'now', true, x'00', 0)").await;
    assert!(matches!(SqliteLog::open(&place.path(), Durability::Power).await, Err(LogError::Newer)));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error() {
    let place = Place::new();
    std::fs::write(place.path(), "something else, and long enough to be looked at".repeat(100)).unwrap();
    assert!(matches!(SqliteLog::open(&place.path(), Durability::Power).await, Err(LogError::Database(_))));
    let place: &Path = Path::new("no/such/directory/log.db");
    assert!(matches!(
        SqliteLog::create(place, vec![b"g".to_vec()], Durability::Power).await,
        Err(LogError::Database(_))
    ));
}
