//! A node with many wallets reads them beside the folding, until all are in memory.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use eventlog::{Appending, EventLog, MemoryLog};
use ingest::Stamp;
use ledger::{Amount, Instant, Partition, Terms};
use projector::{Asking, Depth, Halting, Node, Projectors, Room, Seen, verify};
use store::SqliteStore;
use tokio::sync::watch;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);
const FIRST: Partition = Partition(0);
/// More than one page, and not full ones.
const WALLETS: usize = 2_500;

fn stamp() -> Stamp<'static> {
    Stamp { now: Instant::parse("2026-01-01T00:00:00Z").unwrap(), by: "operator", backfill: false }
}

fn grant(wallet: &str, id: &str) -> Appending {
    let grant = format!(r#"{{"grant_id":"{id}","unit":"credits","amount":"100"}}"#);
    let terms: Terms = serde_json::from_str(&grant).unwrap();
    let grant = ingest::Grant { wallet, source: None, id: None, time: None, terms: &terms, reason: None };
    ingest::grant(&grant, &stamp()).unwrap().appending(1)
}

/// A log in which each wallet has a grant, all of it folded.
async fn folded() -> (Arc<MemoryLog>, Arc<SqliteStore>) {
    let log = MemoryLog::new(1);
    let genesis = ingest::genesis("00112233445566778899aabbccddeeff", 1, None, &stamp());
    let unit = ingest::published("unit", "credits", "{}", None, &stamp()).unwrap().bytes;
    log.append([genesis, unit].map(|bytes| Appending { partition: FIRST, bytes }).into()).await.unwrap();
    log.append((0..WALLETS).map(|n| grant(&format!("w-{n}"), "g")).collect()).await.unwrap();
    let (log, store) = (Arc::new(log), Arc::new(SqliteStore::in_memory().await.unwrap()));
    let mut projectors = Projectors::open(log.clone(), store.clone()).await.unwrap();
    projectors.catch_up(|| Instant::MAX, |_| {}).await.unwrap();
    (log, store)
}

async fn has(asking: &Asking, wallet: &str, credits: &str) -> bool {
    match asking.wallet(wallet).await {
        Seen::Here(seen) => {
            assert_eq!(
                seen.wallet.available("credits", stamp().now),
                Amount::parse(credits).unwrap(),
                "{wallet}"
            );
            true
        }
        Seen::Unknown(_) => panic!("{wallet} is not unknown"),
        Seen::Stored | Seen::NotHere => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wallets_that_were_not_read_at_first_are_in_memory_soon() {
    let (log, store) = folded().await;
    let node = Node::new(log.clone(), store.clone(), "n".into(), Duration::from_secs(1), Halting::Everything);
    let node = node.await.unwrap().with_room(Room { at_once: 0, ..Room::default() });
    let (asking, (stop, stopped)) = (node.asking(), watch::channel(false));
    let node = tokio::spawn(node.run(|| Instant::MAX, stopped));
    // What is used meanwhile is newer than what is read.
    let more: Vec<Appending> = (0..WALLETS).step_by(7).map(|n| grant(&format!("w-{n}"), "more")).collect();
    log.append(more).await.unwrap();
    timeout(SOON, async {
        while !matches!(asking.wallet("nobody").await, Seen::Unknown(_)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    for n in 0..WALLETS {
        let credits = if n % 7 == 0 { "200" } else { "100" };
        assert!(has(&asking, &format!("w-{n}"), credits).await, "w-{n} is in memory");
    }
    stop.send(true).unwrap();
    node.await.unwrap().unwrap();
    assert_eq!(verify(log, store, FIRST, Depth::Rows, |_| {}).await.unwrap().divergence, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn wallets_for_which_there_is_no_room_stay_in_the_store() {
    let (log, store) = folded().await;
    let node = Node::new(log.clone(), store, "n".into(), Duration::from_secs(1), Halting::Everything).await;
    let node = node.unwrap().with_room(Room { at_once: 0, most: WALLETS });
    let (asking, (stop, stopped)) = (node.asking(), watch::channel(false));
    let mut reached = asking.reached(FIRST);
    let node = tokio::spawn(node.run(|| Instant::MAX, stopped));
    let used = log.append(vec![grant("w-3", "more")]).await.unwrap()[0];
    timeout(SOON, reached.wait_for(|reached| reached.committed > used.offset)).await.unwrap().unwrap();
    assert!(has(&asking, "w-3", "200").await, "it was used");
    assert!(!has(&asking, "w-4", "100").await, "it was not");
    stop.send(true).unwrap();
    node.await.unwrap().unwrap();
}
