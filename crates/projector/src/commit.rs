//! Batches on their way to the store.

use std::sync::Arc;

use ledger::Offset;
use mutants::{Mutant, is_on};
use store::rows::{Batch, Head};
use store::{Store, StoreError};
use tokio::task::JoinHandle;

/// A commit that is under way while the next records are folded.
pub(crate) struct UnderWay {
    task: JoinHandle<Result<(), StoreError>>,
    /// The segment of identities that grew at the end of the batch: those before it are stored with it.
    pub(crate) growing: u32,
    /// The offset up to which everything is committed with it.
    pub(crate) until: Offset,
}

impl UnderWay {
    /// Begins to commit a batch.
    pub(crate) fn new<S: Store>(store: Arc<S>, batch: Batch, growing: u32) -> Self {
        let until = batch.head.next;
        Self { task: tokio::spawn(async move { surely_commit(&*store, &batch).await }), growing, until }
    }

    /// Whether it has come to an end.
    pub(crate) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for the end; whoever stops waiting may wait again.
    pub(crate) async fn end(&mut self) -> Result<(), StoreError> {
        (&mut self.task).await.expect("a commit does not panic")
    }
}

/// A batch that begins where a head stands, with room for what so many records do.
pub(crate) fn empty_batch(head: &Head, records: usize) -> Batch {
    Batch {
        partition: head.partition,
        epoch: head.epoch,
        from: head.next,
        head: head.clone(),
        entries: Vec::with_capacity(records),
        records: Vec::with_capacity(records),
        ids: Vec::with_capacity(records),
        wallets: Vec::new(),
        lots: Vec::new(),
        grants: Vec::new(),
        left: Vec::new(),
        counters: Vec::new(),
        quarantined: Vec::new(),
        filters: Vec::new(),
        catalogue: None,
    }
}

/// Commits a batch. When it is not known whether it was, the head tells: done, or once more, or fenced.
async fn surely_commit<S: Store>(store: &S, batch: &Batch) -> Result<(), StoreError> {
    let Err(error) = store.commit(batch).await else { return Ok(()) };
    if is_on(Mutant::MemoryKept) && matches!(error, StoreError::Fenced { .. }) {
        let mut again = batch.clone();
        let head = store.acquire(batch.partition, &batch.head.log).await?;
        (again.from, again.epoch, again.head.epoch) = (head.next, head.epoch, head.epoch);
        return store.commit(&again).await;
    }
    if !matches!(error, StoreError::Database(_) | StoreError::Unknown(_)) {
        return Err(error);
    }
    match store.head(batch.partition).await? {
        Some(head) if head.epoch == batch.epoch && head.next == batch.head.next => Ok(()),
        Some(head) if head.epoch == batch.epoch && head.next == batch.from => store.commit(batch).await,
        Some(_) | None => Err(StoreError::Fenced { partition: batch.partition, from: batch.from }),
    }
}
