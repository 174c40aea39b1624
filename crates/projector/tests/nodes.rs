//! Nodes that share the partitions out among them: whoever folds, each record counts once.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use eventlog::{Appending, EventLog, MemoryLog};
use ingest::Stamp;
use ledger::{Instant, Partition};
use projector::{Depth, Halting, Node, verify};
use store::rows::Counts;
use store::{SqliteStore, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const LOG: &str = "00112233445566778899aabbccddeeff";
const PARTITIONS: u32 = 4;
const LEASE: Duration = Duration::from_millis(400);

fn stamp() -> Stamp<'static> {
    Stamp { now: Instant::parse("2026-01-01T00:00:00Z").unwrap(), by: "operator", backfill: false }
}

fn late() -> Instant {
    Instant::parse("2026-01-02T00:00:00Z").unwrap()
}

async fn log() -> Arc<MemoryLog> {
    let log = MemoryLog::new(PARTITIONS);
    let genesis = ingest::genesis(LOG, PARTITIONS, None, &stamp());
    let first = (0..PARTITIONS).map(|n| Appending { partition: Partition(n), bytes: genesis.clone() });
    log.append(first.collect()).await.unwrap();
    Arc::new(log)
}

/// Usage of many wallets, each event twice.
async fn add(log: &MemoryLog, events: std::ops::Range<u64>) {
    for n in events {
        let event = format!(
            r#"{{"specversion":"1.0","id":"{n}","source":"s","type":"use","subject":"w{}"}}"#,
            n % 97
        );
        let record = ingest::usage(event.as_bytes(), &stamp()).unwrap().appending(PARTITIONS);
        log.append(vec![record.clone(), record]).await.unwrap();
    }
}

struct Running {
    stop: watch::Sender<bool>,
    owned: watch::Receiver<Vec<Partition>>,
    task: JoinHandle<Result<Counts, projector::ProjectorError>>,
}

async fn node(name: &str, log: &Arc<MemoryLog>, store: &Arc<SqliteStore>) -> Running {
    let node =
        Node::new(log.clone(), store.clone(), name.into(), LEASE, Halting::ThatPartition).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    Running { stop, owned: node.owned(), task: tokio::spawn(node.run(late, stopped)) }
}

impl Running {
    async fn has(&mut self, count: usize) {
        let owned = self.owned.wait_for(|owned| owned.len() == count);
        tokio::time::timeout(Duration::from_secs(20), owned).await.expect("it comes to its share").unwrap();
    }

    async fn stop(self) -> Counts {
        self.stop.send(true).unwrap();
        self.task.await.unwrap().unwrap()
    }
}

/// Waits until all of the log is committed, and proves it.
async fn proven(log: &Arc<MemoryLog>, store: &Arc<SqliteStore>) -> Counts {
    let mut counts = Counts::default();
    for partition in (0..PARTITIONS).map(Partition) {
        let end = log.end(partition).await.unwrap();
        let folded = async {
            while store.head(partition).await.unwrap().is_none_or(|head| head.next < end) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), folded).await.expect("somebody folds it");
        let proof = verify(log.clone(), store.clone(), partition, Depth::Rows, |_| {}).await.unwrap();
        assert_eq!(proof.divergence, None);
        counts = counts.plus(store.head(partition).await.unwrap().unwrap().counts);
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_come_and_go_and_each_record_counts_once() {
    let (log, store) = (log().await, Arc::new(SqliteStore::in_memory().await.unwrap()));
    let mut first = node("first", &log, &store).await;
    first.has(4).await;
    add(&log, 0..500).await;
    let mut second = node("second", &log, &store).await;
    second.has(2).await;
    first.has(2).await;
    add(&log, 500..1000).await;
    let mut third = node("third", &log, &store).await;
    third.has(1).await;
    add(&log, 1000..1500).await;
    let before = second.stop().await;
    third.has(2).await;
    first.has(2).await;
    add(&log, 1500..2000).await;
    let counts = proven(&log, &store).await;
    assert_eq!((counts.applied, counts.duplicate), (2000, 2000));
    let all = before.plus(first.stop().await).plus(third.stop().await);
    assert_eq!((all.applied, all.duplicate), (2000, 2000), "no node folded what another one had committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_what_a_node_does_not_fold_is_given_back() {
    let (log, store) = (log().await, Arc::new(SqliteStore::in_memory().await.unwrap()));
    let mut first = node("first", &log, &store).await;
    let mut second = node("second", &log, &store).await;
    first.has(2).await;
    second.has(2).await;
    let partition = second.owned.borrow()[0];
    // As where the first was fenced and took others in its place: it has its share without this one, and its beats renew the lease.
    loop {
        store.acquire(partition, LOG).await.unwrap();
        let life = u32::try_from(LEASE.as_millis()).unwrap();
        if store.claim("first", partition, LOG, life).await.unwrap().is_some() {
            break;
        }
    }
    add(&log, 0..500).await;
    let counts = proven(&log, &store).await;
    assert_eq!((counts.applied, counts.duplicate), (500, 500));
    first.stop().await;
    second.stop().await;
}

#[test]
fn the_partitions_of_a_node_that_dies_are_taken_over_and_a_frozen_one_is_fenced() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (here, there) = (runtime(), runtime());
    let (log, store) =
        here.block_on(async { (log().await, Arc::new(SqliteStore::in_memory().await.unwrap())) });
    let mut dies = there.block_on(node("a-dies", &log, &store));
    there.block_on(dies.has(4));
    let mut stays = here.block_on(node("stays", &log, &store));
    here.block_on(stays.has(2));
    here.block_on(add(&log, 0..500));
    // No lease is given back, no commit awaited.
    there.shutdown_background();
    here.block_on(async {
        add(&log, 500..1000).await;
        stays.has(4).await;
        // Whoever steals a partition fences the one that has it, which takes it back in its turn.
        for n in 0..20 {
            store.acquire(Partition(n % PARTITIONS), LOG).await.unwrap();
            add(&log, 1000 + u64::from(n) * 10..1010 + u64::from(n) * 10).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let counts = proven(&log, &store).await;
        assert_eq!((counts.applied, counts.duplicate), (1200, 1200));
        stays.stop().await;
    });
}
