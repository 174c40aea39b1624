//! The projector against a real store: whatever happens on the way, the same log gives the same projections.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use eventlog::{Appending, EventLog, MemoryLog};
use ingest::Stamp;
use ledger::{Instant, Partition, Terms};
use projector::{Depth, Projector, ProjectorError, Projectors, Replay, Room, verify};
use store::{SqliteStore, Store, StoreError};

const LOG: &str = "00112233445566778899aabbccddeeff";
const START: &str = "2026-01-01T00:00:00Z";

fn at(seconds: i64) -> Instant {
    Instant::parse(START).unwrap().plus(seconds * 1_000_000_000)
}

fn stamp(now: Instant) -> Stamp<'static> {
    Stamp { now, by: "operator", backfill: false }
}

/// A log with its genesis in each partition, and a catalogue in the first.
async fn log(partitions: u32) -> Arc<MemoryLog> {
    let log = MemoryLog::new(partitions);
    let genesis = ingest::genesis(LOG, partitions, None, &stamp(at(0)));
    for partition in (0..partitions).map(Partition) {
        append(&log, partition, genesis.clone()).await;
    }
    for (kind, name, body) in CATALOGUE {
        let record = ingest::published(kind, name, body, None, &stamp(at(0))).unwrap();
        append(&log, Partition(0), record.bytes).await;
    }
    Arc::new(log)
}

const CATALOGUE: [(&str, &str, &str); 2] = [
    ("unit", "credits", "{}"),
    (
        "price",
        "use",
        r#"{"match":{"type":{"exact":"use"}},"charges":[{"unit":"credits","quantity":{"field":"n"},"amount":"1.5"}]}"#,
    ),
];

async fn append(log: &MemoryLog, partition: Partition, bytes: Vec<u8>) {
    log.append(vec![Appending { partition, bytes }]).await.unwrap();
}

fn monthly() -> Terms {
    serde_json::from_str(
        r#"{"grant_id":"plan","unit":"credits","amount":"100","recurrence":{"interval":"PT1H"},"rollover":{"max":"30"}}"#,
    )
    .unwrap()
}

/// Grants for 20 wallets, then usage of them all, some of it twice and some of it changed.
fn history(count: i64) -> Vec<(String, Vec<u8>)> {
    let wallet = |n: i64| format!("w{}", n % 20);
    let grants = (0..20).map(|n| {
        let (terms, wallet) = (monthly(), wallet(n));
        let grant = ingest::Grant {
            wallet: &wallet,
            source: None,
            id: None,
            time: None,
            terms: &terms,
            reason: None,
        };
        let bytes = ingest::grant(&grant, &stamp(at(1))).unwrap().bytes;
        (wallet, bytes)
    });
    let usage = (0..count).map(|n| {
        let (id, amount) = if n % 10 == 9 { (n - 9, n % 3) } else { (n, 1) };
        let event = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"use","subject":"{}","data":{{"n":{amount}}}}}"#,
            wallet(id * 7 + id / 3)
        );
        let stamped = ingest::usage(event.as_bytes(), &stamp(at(2 + n * 60))).unwrap();
        (wallet(id * 7 + id / 3), stamped.bytes)
    });
    grants.chain(usage).collect()
}

async fn add(log: &MemoryLog, records: &[(String, Vec<u8>)]) {
    for (wallet, bytes) in records {
        append(log, Partition::of(wallet, log.partitions()), bytes.clone()).await;
    }
}

fn late() -> Instant {
    at(400 * 86_400)
}

/// Folds all there is, and proves it.
async fn project(log: &Arc<MemoryLog>, store: &Arc<SqliteStore>) -> Vec<(String, [u8; 32])> {
    let mut projectors = Projectors::open(log.clone(), store.clone()).await.unwrap();
    projectors.catch_up(late, |_| {}).await.unwrap();
    let mut wallets = Vec::new();
    for partition in (0..log.partitions()).map(Partition) {
        let proof = verify(log.clone(), store.clone(), partition, Depth::Rows, |_| {}).await.unwrap();
        assert_eq!(proof.divergence, None);
        assert_eq!(proof.records, log.end(partition).await.unwrap().0);
        let rows = store.all_wallets(partition, None, 1000).await.unwrap();
        wallets.extend(rows.into_iter().map(|w| (w.id, w.digest)));
    }
    wallets.sort();
    wallets
}

async fn store() -> Arc<SqliteStore> {
    Arc::new(SqliteStore::in_memory().await.unwrap())
}

#[test]
fn another_log_that_is_folded_on_is_noticed() {
    let test = "another_log_or_a_shorter_one_is_refused";
    mutants::must_be_caught(mutants::Mutant::AnotherLogFolded, test, &[], &["panicked at"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_restarts_and_partitions_change_no_wallet() {
    let records = history(600);
    let (whole, in_one) = (log(4).await, log(1).await);
    let once = {
        let store = store().await;
        // The catalogue reaches every partition before usage does, as `apply` sees to.
        project(&whole, &store).await;
        add(&whole, &records).await;
        project(&whole, &store).await
    };
    assert_eq!(once.len(), 20);

    let alone = store().await;
    add(&in_one, &records).await;
    assert_eq!(project(&in_one, &alone).await, once, "the number of partitions changes no wallet");

    let (pieces, restarted) = (log(4).await, store().await);
    project(&pieces, &restarted).await;
    for piece in records.chunks(37) {
        add(&pieces, piece).await;
        project(&pieces, &restarted).await;
    }
    assert_eq!(project(&pieces, &restarted).await, once, "restarts and batches change no wallet");
}

#[tokio::test(flavor = "multi_thread")]
async fn wallets_that_are_forgotten_are_read_again() {
    let (log, store) = (log(1).await, store().await);
    let head = store.acquire(Partition(0), LOG).await.unwrap();
    let room = Room { most: 3, ..Room::default() };
    let mut projector = Projector::at(log.clone(), store.clone(), head, room).await.unwrap();
    for piece in history(400).chunks(20) {
        add(&log, piece).await;
        // The commit is still under way when the next step begins.
        projector.step(late()).await.unwrap();
    }
    projector.committed().await.unwrap();
    let proof = verify(log, store, Partition(0), Depth::Rows, |_| {}).await.unwrap();
    assert_eq!(proof.divergence, None);
    assert!(proof.records > 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_without_a_store_has_the_live_digest() {
    let (log, store) = (log(1).await, store().await);
    add(&log, &history(300)).await;
    project(&log, &store).await;
    let mut replay = Replay::new(Partition(0), 1, "any");
    let all = log.read(Partition(0), ledger::Offset(0), 10_000).await.unwrap();
    for (_, bytes) in all.iter() {
        replay.fold(&[bytes]).unwrap();
    }
    assert_eq!(store.head(Partition(0)).await.unwrap().unwrap().digest, replay.digest());
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_sent_twice_counts_once() {
    let (log, store) = (log(2).await, store().await);
    project(&log, &store).await;
    let records = history(200);
    add(&log, &records).await;
    project(&log, &store).await;
    let lots = |store: Arc<SqliteStore>| async move {
        let mut lots = Vec::new();
        for partition in [Partition(0), Partition(1)] {
            lots.extend(store.all_lots(partition, None, 10_000).await.unwrap());
        }
        lots
    };
    let before = lots(store.clone()).await;
    add(&log, &records).await;
    project(&log, &store).await;
    assert_eq!(lots(store.clone()).await, before);
    let counts = store.head(Partition(0)).await.unwrap().unwrap().counts;
    assert!(counts.duplicate >= 90, "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_projector_fences_the_first() {
    let (log, store) = (log(1).await, store().await);
    let mut first = Projectors::open(log.clone(), store.clone()).await.unwrap();
    first.catch_up(late, |_| {}).await.unwrap();
    let mut second = Projectors::open(log.clone(), store.clone()).await.unwrap();
    add(&log, &history(50)).await;
    let fenced = first.catch_up(late, |_| {}).await.unwrap_err();
    assert!(matches!(fenced, ProjectorError::Store(StoreError::Fenced { .. })), "{fenced}");
    second.catch_up(late, |_| {}).await.unwrap();
    let proof = verify(log, store, Partition(0), Depth::Rows, |_| {}).await.unwrap();
    assert_eq!(proof.divergence, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_or_a_shorter_one_is_refused() {
    let (log_a, store) = (log(1).await, store().await);
    add(&log_a, &history(20)).await;
    project(&log_a, &store).await;
    let shorter = log(1).await;
    let error = Projectors::open(shorter.clone(), store.clone()).await.err().unwrap();
    assert!(matches!(&error, ProjectorError::AnotherLog { what } if what.contains("ends at")), "{error}");
    add(&shorter, &history(40)[5..]).await;
    let error = Projectors::open(shorter, store.clone()).await.err().unwrap();
    assert!(
        matches!(&error, ProjectorError::AnotherLog { what } if what.contains("is not the one")),
        "{error}"
    );

    let other = MemoryLog::new(1);
    append(&other, Partition(0), ingest::genesis("ff112233445566778899aabbccddeeff", 1, None, &stamp(at(0))))
        .await;
    let error = Projectors::open(Arc::new(other), store).await.err().unwrap();
    assert!(matches!(error, ProjectorError::Store(StoreError::OtherLog { .. })), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_record_is_set_aside_and_what_is_newer_stops_the_partition() {
    let (log, store) = (log(1).await, store().await);
    append(&log, Partition(0), b"{not json".to_vec()).await;
    append(&log, Partition(0), vec![0xff, 0xfe]).await;
    let usage = String::from_utf8(history(1).pop().unwrap().1).unwrap();
    let twice = usage.replace(r#"{"n":1}"#, r#"{"n":1,"n":2}"#);
    append(&log, Partition(0), twice.into_bytes()).await;
    add(&log, &history(3)).await;
    project(&log, &store).await;
    let aside = store.quarantined(Partition(0)).await.unwrap();
    assert_eq!(aside.iter().map(|q| q.offset.0).collect::<Vec<_>>(), [3, 4, 5]);
    assert!(aside[2].reason.contains("stands twice"), "{}", aside[2].reason);

    let end = log.end(Partition(0)).await.unwrap();
    append(&log, Partition(0), usage.replace("\"type\":\"usage\"", "\"type\":\"limit.set\"").into_bytes())
        .await;
    let mut projectors = Projectors::open(log.clone(), store.clone()).await.unwrap();
    let error = projectors.catch_up(late, |_| {}).await.unwrap_err();
    assert!(matches!(&error, ProjectorError::NewerBuild { at, .. } if at.offset == end), "{error}");
    assert_eq!(
        store.head(Partition(0)).await.unwrap().unwrap().next,
        end,
        "what came before it is committed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_from_the_future_waits_for_its_time() {
    let (log, store) = (log(1).await, store().await);
    add(&log, &history(1)).await;
    let mut projectors = Projectors::open(log.clone(), store).await.unwrap();
    let round = projectors.catch_up(|| at(-120), |_| {}).await.unwrap();
    assert_eq!(round.ahead, Some(at(0)));
    assert_eq!(round.folded, 0);
    assert_eq!(projectors.catch_up(late, |_| {}).await.unwrap().ahead, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_is_copied_to_every_partition_once() {
    let (log, store) = (log(4).await, store().await);
    project(&log, &store).await;
    let again = project(&log, &store).await;
    assert_eq!(again, []);
    for partition in (0..4).map(Partition) {
        let expected = if partition.0 == 0 { 3 } else { 1 + CATALOGUE.len() as u64 };
        assert_eq!(log.end(partition).await.unwrap().0, expected, "partition {partition}");
    }
    let text = store.catalogue(Partition(3)).await.unwrap().unwrap();
    assert_eq!(projector::stored_catalogue(&text).unwrap().accepted().len(), CATALOGUE.len());
}
