//! What was folded and is still on its way to the store is known all the same.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use eventlog::{Appending, EventLog, MemoryLog};
use ingest::Stamp;
use ledger::{Instant, Partition};
use projector::{Depth, Projectors, verify};
use store::SqliteStore;

const LOG: &str = "00112233445566778899aabbccddeeff";

fn stamp() -> Stamp<'static> {
    Stamp { now: Instant::parse("2026-01-01T00:00:00Z").unwrap(), by: "operator", backfill: false }
}

fn usage(n: u64) -> Appending {
    let event =
        format!(r#"{{"specversion":"1.0","id":"{n}","source":"s","type":"use","subject":"w{}"}}"#, n % 50);
    Appending { partition: Partition(0), bytes: ingest::usage(event.as_bytes(), &stamp()).unwrap().bytes }
}

/// Segments of identities and batches of records end at other places: an identity may lie in a segment that is complete, and its row
/// may still be on its way, when its record comes again.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_again_is_a_duplicate_while_the_first_is_being_committed() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(directory.path().join("projections.db")).await.unwrap());
    let log = Arc::new(MemoryLog::new(1));
    let genesis = ingest::genesis(LOG, 1, None, &stamp());
    log.append(vec![Appending { partition: Partition(0), bytes: genesis }]).await.unwrap();
    log.append((0..20_000).map(usage).collect()).await.unwrap();
    let mut projectors = Projectors::open(log.clone(), store.clone()).await.unwrap();
    projectors.catch_up(|| Instant::MAX.plus(-120_000_000_000), |_| {}).await.unwrap();

    // One whole batch, then one whose end has the first one's beginning again.
    log.append((20_000..20_000 + 32_768 + 13_000).map(usage).collect()).await.unwrap();
    log.append((20_000..32_000).map(usage).collect()).await.unwrap();
    projectors.catch_up(|| Instant::MAX.plus(-120_000_000_000), |_| {}).await.unwrap();
    let counts = projectors.counts();
    assert_eq!((counts.applied, counts.duplicate), (65_768, 12_000));
    let proof = verify(log, store, Partition(0), Depth::Rows, |_| {}).await.unwrap();
    assert_eq!(proof.divergence, None);
}
