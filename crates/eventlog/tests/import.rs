//! A log made of records that come from another one.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use eventlog::{Appending, Durability, EventLog, Importing, LogError, MAX_RECORD, SqliteLog};
use ledger::{Offset, Partition};

const P0: Partition = Partition(0);
const P1: Partition = Partition(1);

fn files(directory: &Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn an_imported_log_is_seen_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db");
    let mut importing = Importing::begin(&path, 2).await.unwrap();
    for number in 0..1000 {
        assert_eq!(importing.push(P0, format!("a{number}").as_bytes()).await.unwrap(), Offset(number));
        if number % 10 == 0 {
            assert_eq!(
                importing.push(P1, format!("b{number}").as_bytes()).await.unwrap(),
                Offset(number / 10)
            );
        }
    }
    assert!(SqliteLog::open(&path, Durability::Power).await.unwrap().is_none());
    importing.finish().await.unwrap();
    assert_eq!(files(directory.path()), ["log.db"]);

    let log = SqliteLog::open(&path, Durability::Power).await.unwrap().unwrap();
    assert_eq!(log.partitions(), 2);
    let (a, b) = (log.read(P0, Offset(0), 2000).await.unwrap(), log.read(P1, Offset(0), 2000).await.unwrap());
    assert_eq!((a.len(), b.len()), (1000, 100));
    assert!(a.iter().all(|(offset, record)| record == format!("a{offset}").as_bytes()));
    assert!(b.iter().all(|(offset, record)| record == format!("b{}", offset.0 * 10).as_bytes()));
    let appended = log.append(vec![Appending { partition: P1, bytes: b"c".to_vec() }]).await.unwrap();
    assert_eq!(appended[0].offset, Offset(100));
}

#[tokio::test]
async fn an_import_given_up_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db");
    let mut importing = Importing::begin(&path, 2).await.unwrap();
    importing.push(P0, b"a").await.unwrap();
    assert!(matches!(importing.push(Partition(2), b"a").await, Err(LogError::UnknownPartition { .. })));
    assert!(matches!(importing.push(P0, &[0; MAX_RECORD + 1]).await, Err(LogError::TooLarge { .. })));
    assert_eq!(importing.push(P0, b"a").await.unwrap(), Offset(1), "what was refused added nothing");

    assert!(matches!(importing.finish().await, Err(LogError::Empty { partition: P1 })));
    assert!(matches!(Importing::begin(&path, 0).await, Err(LogError::Empty { partition: P0 })));
    drop(Importing::begin(&path, 2).await.unwrap());
    assert!(files(directory.path()).is_empty());
}

#[tokio::test]
async fn nothing_is_imported_over_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db");
    let mut importing = Importing::begin(&path, 1).await.unwrap();
    importing.push(P0, b"a").await.unwrap();
    let second = Importing::begin(&path, 1).await.err().unwrap();
    assert!(matches!(second, LogError::Exists { path } if path.ends_with("log.db.importing")));

    SqliteLog::create(&path, vec![b"g".to_vec()], Durability::Power).await.unwrap().close().await.unwrap();
    let overtaken = importing.finish().await.unwrap_err();
    assert!(matches!(overtaken, LogError::Exists { path: there } if there == path));
    assert!(
        matches!(Importing::begin(&path, 1).await, Err(LogError::Exists { path: there }) if there == path)
    );
    let log = SqliteLog::open(&path, Durability::Power).await.unwrap().unwrap();
    assert_eq!(log.read(P0, Offset(0), 2).await.unwrap().get(0), b"g");
    drop(log);

    // A write-ahead log whose file was moved away would be taken for the new file's own.
    let orphan = directory.path().join("other.db-wal");
    std::fs::write(&orphan, b"left behind").unwrap();
    let refused = Importing::begin(&directory.path().join("other.db"), 1).await.err().unwrap();
    assert!(matches!(refused, LogError::Exists { path } if path == orphan));
}
