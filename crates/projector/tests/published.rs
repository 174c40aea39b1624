//! The catalogue followed in the log is the one that is folded.
#![allow(clippy::unwrap_used)]

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use eventlog::{Appending, EventLog, MemoryLog};
use ingest::Stamp;
use ledger::{Instant, Offset, Partition};
use projector::{Projector, ProjectorError, Published};
use store::{SqliteStore, Store};
use tokio::time::timeout;

const LOG: &str = "00112233445566778899aabbccddeeff";

fn stamp() -> Stamp<'static> {
    Stamp { now: Instant::parse("2026-01-01T00:00:00Z").unwrap(), by: "operator", backfill: false }
}

/// A record's id and bytes.
fn published(kind: &str, name: &str, body: &str, replaces: Option<&str>) -> (String, Vec<u8>) {
    let published = ingest::published(kind, name, body, replaces, &stamp()).unwrap();
    (published.id, published.bytes)
}

fn key(more: &str, replaces: Option<&str>) -> (String, Vec<u8>) {
    let hash = "0123456789abcdef".repeat(4);
    published("key", "k0123456789ab", &format!(r#"{{"hash":"{hash}","scopes":["read"]{more}}}"#), replaces)
}

/// Keys and other documents: some twice, some refused, and one that would be taken the second time it comes, had it not come before.
fn records() -> Vec<Vec<u8>> {
    let genesis = ingest::genesis(LOG, 1, None, &stamp());
    let usage = br#"{"specversion":"1.0","id":"1","source":"s","type":"use","subject":"w"}"#;
    let usage = ingest::usage(usage, &stamp()).unwrap().bytes;
    let (first, made) = key("", None);
    let (_, revoked) = key(r#","revoked":true"#, Some(&first));
    let (gold, unit) = published("unit", "gold", "{}", None);
    let (_, described) = published("unit", "gold", r#"{"description":"gold"}"#, Some(&gold));
    let (_, alone) = published("unit", "silver", "{}", Some(&gold));
    let none = b"none".to_vec();
    let records = [
        &genesis, &usage, &made, &described, &alone, &made, &unit, &usage, &described, &genesis, &none,
        &revoked, &made, &revoked, &unit, &described,
    ];
    records.into_iter().cloned().collect()
}

async fn append(log: &MemoryLog, records: &[Vec<u8>]) {
    let records = records.iter().map(|bytes| Appending { partition: Partition(0), bytes: bytes.clone() });
    log.append(records.collect()).await.unwrap();
}

async fn fold(log: &Arc<MemoryLog>, store: &Arc<SqliteStore>) -> Projector<MemoryLog, SqliteStore> {
    let mut projector = Projector::open(log.clone(), store.clone(), Partition(0), LOG).await.unwrap();
    while projector.step(stamp().now).await.unwrap().folded > 0 {}
    projector.committed().await.unwrap();
    projector
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_that_is_followed_is_the_one_that_is_folded() {
    let records = records();
    for opened_at in 0..=records.len() {
        let (log, store) = (Arc::new(MemoryLog::new(1)), Arc::new(SqliteStore::in_memory().await.unwrap()));
        append(&log, &records[..opened_at]).await;
        if opened_at > 0 {
            fold(&log, &store).await;
        }
        let mut published = Published::open(log.clone(), store.clone()).await.unwrap();
        for (at, record) in records.iter().enumerate().skip(opened_at) {
            append(&log, std::slice::from_ref(record)).await;
            // The store may know the record already, or not yet.
            let folded = if at % 2 == 0 { Some(fold(&log, &store).await) } else { None };
            assert!(published.step().await.unwrap());
            let folded = match folded {
                Some(folded) => folded,
                None => fold(&log, &store).await,
            };
            let (followed, folded) = (published.catalogue(), folded.catalogue());
            assert_eq!(followed.write(), folded.write(), "opened at {opened_at}, after {at}");
            assert_eq!(followed.fold_version(), folded.fold_version());
        }
        assert!(!published.step().await.unwrap());
        assert_eq!(published.next(), Offset(records.len() as u64));
        assert_eq!(published.catalogue().accepted().len(), 3);
    }
}

/// Something that is asked of the store and never heard to its end: what is asked after it waits, as of a frozen database.
async fn frozen(store: &SqliteStore) -> impl Future {
    loop {
        let mut asked = Box::pin(store.head(Partition(0)));
        if poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_pending())).await {
            return asked;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_is_heard_while_the_store_is_frozen() {
    let (log, store) = (Arc::new(MemoryLog::new(1)), Arc::new(SqliteStore::in_memory().await.unwrap()));
    let records = records();
    append(&log, &records[..3]).await;
    fold(&log, &store).await;
    let mut published = Published::open(log.clone(), store.clone()).await.unwrap();
    let frozen = frozen(&store).await;
    assert!(
        timeout(Duration::from_millis(20), store.head(Partition(0))).await.is_err(),
        "it answers nothing"
    );
    append(&log, &records[11..13]).await;
    assert!(published.step().await.unwrap());
    let key = published.catalogue().current("key", "k0123456789ab").unwrap();
    assert!(key.body.contains(r#""revoked":true"#), "{}", key.body);
    drop(frozen);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_build_published_is_not_passed_over() {
    let (log, store) = (Arc::new(MemoryLog::new(1)), Arc::new(SqliteStore::in_memory().await.unwrap()));
    let records = records();
    append(&log, &records[..3]).await;
    let newer = String::from_utf8(records[11].clone()).unwrap().replace(r#""v":4"#, r#""v":9"#);
    append(&log, &[newer.into_bytes(), records[11].clone()]).await;
    let mut published = Published::open(log, store).await.unwrap();
    for _ in 0..2 {
        let stopped = published.step().await;
        assert!(
            matches!(&stopped, Err(ProjectorError::NewerBuild { at, .. }) if at.offset == Offset(3)),
            "{stopped:?}"
        );
        assert_eq!(published.catalogue().accepted().len(), 1, "what was before it stays");
    }
}
