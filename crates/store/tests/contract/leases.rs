//! Who folds which partition.

use std::time::Duration;

use ledger::{Offset, Partition};
use store::{Fleet, Lease, Store, StoreError};

use crate::fixtures::*;

/// Longer than any test.
const LONG: u32 = 600_000;
/// Over before the next statement has been sent.
const OVER: u32 = 0;

/// Who holds which partition under which epoch, and whether that lives.
fn held(fleet: &Fleet) -> Vec<(u32, &str, i64, bool)> {
    let of = |lease: &'_ Lease| (lease.partition.0, lease.epoch, lease.lives_ms > 0);
    let all = fleet.leases.iter().map(|lease| (of(lease), lease.owner.as_str()));
    all.map(|((partition, epoch, lives), owner)| (partition, owner, epoch, lives)).collect()
}

pub(crate) async fn a_free_partition_is_claimed_once(store: impl Store) {
    let head = store.claim("a", FIRST, LOG, LONG).await.unwrap().unwrap();
    assert!(head.epoch > 0);
    assert_eq!((head.next, head.log.as_str()), (Offset(0), LOG));
    assert_eq!(store.claim("b", FIRST, LOG, LONG).await.unwrap(), None);
    assert_eq!(store.head(FIRST).await.unwrap().unwrap().epoch, head.epoch);
    let again = store.claim("a", FIRST, LOG, LONG).await.unwrap().unwrap();
    assert_eq!(again, raised(&again, &head));
    let other = store.claim("b", Partition(1), LOG, LONG).await.unwrap().unwrap();
    assert_eq!((other.partition, other.next), (Partition(1), Offset(0)));
}

pub(crate) async fn a_beat_renews_what_a_node_holds(store: impl Store) {
    let alone = store.beat("a", LONG).await.unwrap();
    assert_eq!(alone, Fleet { nodes: vec!["a".into()], leases: vec![] });
    let first = store.claim("a", FIRST, LOG, OVER).await.unwrap().unwrap().epoch;
    let other = store.claim("b", Partition(2), LOG, OVER).await.unwrap().unwrap().epoch;
    let fleet = store.beat("b", LONG).await.unwrap();
    assert_eq!(fleet.nodes, ["a", "b"]);
    assert_eq!(held(&fleet), [(0, "a", first, false), (2, "b", other, true)]);
    let fleet = store.beat("a", 60_000).await.unwrap();
    assert_eq!(held(&fleet), [(0, "a", first, true), (2, "b", other, true)]);
    let lives: Vec<u64> = fleet.leases.iter().map(|lease| lease.lives_ms / 60_000).collect();
    assert_eq!(held(&store.fleet().await.unwrap()), held(&fleet), "who only looks sees the same");
    assert_eq!(store.fleet().await.unwrap().nodes, fleet.nodes);
    assert!(lives[0] <= 1 && (8..=10).contains(&lives[1]), "{lives:?} minutes");
    assert_eq!(store.claim("b", FIRST, LOG, LONG).await.unwrap(), None);
}

pub(crate) async fn what_ran_out_is_anybodys(store: impl Store) {
    store.beat("a", OVER).await.unwrap();
    let first = store.claim("a", FIRST, LOG, OVER).await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let second = store.claim("b", FIRST, LOG, LONG).await.unwrap().unwrap();
    assert_eq!(second, raised(&second, &first));
    let fleet = store.beat("b", LONG).await.unwrap();
    assert_eq!(
        (fleet.nodes.as_slice(), held(&fleet)),
        (["b".to_owned()].as_slice(), vec![(0, "b", second.epoch, true)])
    );
    // The one that lost it renews nothing.
    let fleet = store.beat("a", LONG).await.unwrap();
    assert_eq!(held(&fleet), [(0, "b", second.epoch, true)]);
}

pub(crate) async fn what_is_released_is_free_at_once(store: impl Store) {
    let first = store.claim("a", FIRST, LOG, LONG).await.unwrap().unwrap();
    store.release("b", FIRST).await.unwrap();
    assert_eq!(store.claim("b", FIRST, LOG, LONG).await.unwrap(), None);
    store.release("a", FIRST).await.unwrap();
    assert_eq!(store.beat("a", LONG).await.unwrap().leases, []);
    let second = store.claim("b", FIRST, LOG, LONG).await.unwrap().unwrap();
    assert_eq!(second, raised(&second, &first));
}

pub(crate) async fn a_node_that_leaves_holds_nothing(store: impl Store) {
    for node in ["a", "b"] {
        store.beat(node, LONG).await.unwrap();
    }
    let first = store.claim("a", FIRST, LOG, LONG).await.unwrap().unwrap();
    store.claim("a", Partition(1), LOG, LONG).await.unwrap().unwrap();
    let other = store.claim("b", Partition(2), LOG, LONG).await.unwrap().unwrap();
    store.leave("a").await.unwrap();
    let fleet = store.beat("b", LONG).await.unwrap();
    assert_eq!(
        (fleet.nodes.as_slice(), held(&fleet)),
        (["b".to_owned()].as_slice(), vec![(2, "b", other.epoch, true)])
    );
    let second = store.claim("b", FIRST, LOG, LONG).await.unwrap().unwrap();
    assert_eq!(second, raised(&second, &first));
}

pub(crate) async fn a_claim_of_another_log_takes_nothing(store: impl Store) {
    let head = store.claim("a", FIRST, LOG, OVER).await.unwrap().unwrap();
    let refused = store.claim("b", FIRST, "another", LONG).await.unwrap_err();
    assert!(matches!(&refused, StoreError::OtherLog { found, .. } if found == LOG), "{refused}");
    assert_eq!(held(&store.beat("b", LONG).await.unwrap()), [(0, "a", head.epoch, false)]);
    assert_eq!(store.head(FIRST).await.unwrap(), Some(head));
}

pub(crate) async fn who_acquires_takes_the_lease_away(store: impl Store) {
    let first = store.claim("a", FIRST, LOG, LONG).await.unwrap().unwrap();
    store.acquire(FIRST, "another").await.unwrap_err();
    assert_eq!(held(&store.beat("a", LONG).await.unwrap()), [(0, "a", first.epoch, true)]);
    let second = store.acquire(FIRST, LOG).await.unwrap();
    assert_eq!(second, raised(&second, &first));
    assert_eq!(store.beat("a", LONG).await.unwrap().leases, []);
}

pub(crate) async fn an_epoch_is_a_fence_whatever_the_lease_says(store: impl Store) {
    let first = store.claim("a", FIRST, LOG, OVER).await.unwrap().unwrap();
    // It ran out, but nobody took the partition: nothing is lost by going on.
    let batch = usages(&first, 5, 2);
    store.commit(&batch).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let second = store.claim("b", FIRST, LOG, LONG).await.unwrap().unwrap();
    store.release("b", FIRST).await.unwrap();
    let refused = store.commit(&usages(&batch.head, 5, 2)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
    store.commit(&usages(&second, 5, 2)).await.unwrap();
}
