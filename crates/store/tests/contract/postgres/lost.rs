//! Lost connections and projectors that are stuck: what was committed is known in the end, and nobody is kept
//! waiting.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Executor;
use store::{Batch, Head, PostgresStore, Store, StoreError};

use super::lines::{Fate, Lines};
use super::place::{Place, SCHEMA};
use crate::fixtures::*;

/// A store over lines that can be cut, and the head of the partition it has taken.
async fn over_lines(place: &Place) -> (Lines, Arc<PostgresStore>, Head) {
    let lines = Lines::to(services::postgres()).await;
    let store = PostgresStore::connect(&lines.url(&place.url()), SCHEMA).await.unwrap();
    let head = store.acquire(FIRST, LOG).await.unwrap();
    (lines, Arc::new(store), head)
}

/// A batch and a word that its last message has: of one statement, or of a transaction.
fn small_and_large(head: &Head) -> [(Batch, &'static str); 2] {
    [(usages(head, 5, 2), "event-"), (usages(head, 3_000, 20), "; commit")]
}

#[tokio::test]
async fn a_commit_is_settled_when_its_answer_or_itself_is_lost() {
    for fate in [Fate::LoseAnswer, Fate::LoseWord] {
        for large in [false, true] {
            let place = Place::new().await;
            let (lines, store, head) = over_lines(&place).await;
            let (batch, word) = small_and_large(&head)[usize::from(large)].clone();
            lines.trap(word, fate);
            store.commit(&batch).await.unwrap_or_else(|error| panic!("{fate:?} {large}: {error:?}"));
            lines.sprung().await;
            let found = rows(&place.store().await, FIRST).await;
            assert_eq!(found, rows_of(&batch), "{fate:?} {large}");
            let next = usages(&batch.head, 5, 2);
            store.commit(&next).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_commit_that_was_lost_is_fenced_where_another_has_the_partition() {
    for large in [false, true] {
        let place = Place::new().await;
        let (lines, store, head) = over_lines(&place).await;
        let (batch, word) = small_and_large(&head)[usize::from(large)].clone();
        lines.trap(word, Fate::LoseWord);
        let (committing, lost) = (store.clone(), batch.clone());
        let commit = tokio::spawn(async move { committing.commit(&lost).await });
        lines.sprung().await;
        lines.set_open(false);
        let other = place.store().await;
        let taken = other.acquire(FIRST, LOG).await.unwrap();
        lines.set_open(true);
        let done = commit.await.unwrap();
        if taken.next == head.next {
            assert!(matches!(done, Err(StoreError::Fenced { .. })), "{done:?}");
        } else {
            // It was sent again before the other came.
            done.unwrap();
        }
        other.commit(&usages(&taken, 3_000, 20)).await.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_settled_is_unknown() {
    let place = Place::new().await;
    let (lines, store, head) = over_lines(&place).await;
    let batch = usages(&head, 5, 2);
    lines.set_open(false);
    lines.trap("event-", Fate::LoseAnswer);
    // The writer's line is opened with its first commit.
    lines.set_open(true);
    store.commit(&empty(&head, 1)).await.unwrap();
    let mut after = batch.clone();
    (after.from, after.head.next) = (ledger::Offset(1), ledger::Offset(6));
    after.records.iter_mut().for_each(|row| row.offset.0 += 1);
    after.entries.iter_mut().for_each(|row| row.offset.0 += 1);
    lines.set_open(false);
    let error = store.commit(&after).await.unwrap_err();
    assert!(matches!(error, StoreError::Unknown(_)), "{error:?}");
    let direct = place.store().await;
    assert_eq!(direct.head(FIRST).await.unwrap(), Some(after.head));
}

#[tokio::test]
async fn a_projector_that_is_frozen_before_its_commit_keeps_nobody_waiting() {
    let place = Place::new().await;
    let (lines, store, head) = over_lines(&place).await;
    let batch = usages(&head, 3_000, 20);
    lines.trap("; commit", Fate::Hold);
    let (committing, held) = (store.clone(), batch.clone());
    let commit = tokio::spawn(async move { committing.commit(&held).await });
    lines.sprung().await;
    takes_over(&place).await;
    lines.release();
    assert!(matches!(commit.await.unwrap(), Err(StoreError::Fenced { .. })));
}

#[tokio::test]
async fn a_projector_that_is_frozen_while_it_copies_keeps_nobody_waiting() {
    let place = Place::new().await;
    let (lines, store, head) = over_lines(&place).await;
    // More than one piece: the server has put the first ones in place.
    let batch = usages(&head, 20_000, 20);
    lines.trap("event-15000", Fate::Hold);
    let (committing, held) = (store.clone(), batch.clone());
    let commit = tokio::spawn(async move { committing.commit(&held).await });
    lines.sprung().await;
    takes_over(&place).await;
    lines.release();
    assert!(matches!(commit.await.unwrap(), Err(StoreError::Fenced { .. })));
}

/// Another projector acquires the partition and commits, small and large, within some seconds.
async fn takes_over(place: &Place) {
    let other = place.store().await;
    let taking = async {
        let taken = other.acquire(FIRST, LOG).await.unwrap();
        let first = usages(&taken, 3_000, 20);
        other.commit(&first).await.unwrap();
        other.commit(&usages(&first.head, 5, 2)).await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(20), taking).await.expect("nobody is in the way");
}

#[tokio::test]
async fn a_commit_nobody_waits_for_is_whole_or_not_there() {
    let place = Place::new().await;
    let store = place.store().await;
    let mut head = store.acquire(FIRST, LOG).await.unwrap();
    for (micros, count) in
        [(0, 5), (300, 5), (1_000, 3_000), (5_000, 3_000), (20_000, 3_000), (60_000, 3_000)]
    {
        let batch = usages(&head, count, 50);
        let _ = tokio::time::timeout(Duration::from_micros(micros), store.commit(&batch)).await;
        let again = store.commit(&batch).await;
        assert!(matches!(again, Ok(()) | Err(StoreError::Fenced { .. })), "{again:?}");
        head = batch.head;
        assert_eq!(store.head(FIRST).await.unwrap().as_ref(), Some(&head));
        let rows = rows(&store, FIRST).await;
        assert_eq!((rows.entries.len(), rows.records.len()), (head.next.0 as usize, head.next.0 as usize));
    }
}

#[tokio::test]
async fn a_database_that_starts_anew_is_found_again() {
    let place = Place::new().await;
    let store = place.store().await;
    let first = usages(&store.acquire(FIRST, LOG).await.unwrap(), 5, 2);
    store.commit(&first).await.unwrap();
    let end_all = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid()",
        place.name
    );
    place.connection().await.execute(end_all.as_str()).await.unwrap();
    let second = usages(&first.head, 5, 2);
    store.commit(&second).await.unwrap();
    assert_eq!(store.head(FIRST).await.unwrap(), Some(second.head));
}
