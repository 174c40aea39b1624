//! Batches on their way to the store.

use std::sync::Arc;

use ledger::Offset;
use mutants::{Mutant, is_on};
use store::rows::{Batch, Head};
use store::{Store, StoreError};
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant as Moment};

/// Commits of few records begin so far apart …
const PACE: Duration = Duration::from_millis(10);
/// … and a store that is busy is left alone for so many times as long as the last one took, from its beginning on; but …
const REST: u32 = 10;
/// … no longer than this.
const MOST_REST: Duration = Duration::from_millis(50);

/// When the next commit of few records may begin.
pub(crate) struct Pace(Moment);

impl Default for Pace {
    fn default() -> Self {
        Self(Moment::now())
    }
}

impl Pace {
    pub(crate) fn next(&self) -> Moment {
        self.0
    }

    pub(crate) fn begin(&mut self) {
        self.0 = Moment::now() + PACE;
    }

    pub(crate) fn ended(&mut self, commit: &UnderWay) {
        self.0 = self.0.max(commit.began + (commit.took * REST).min(MOST_REST));
    }
}

/// A commit that is under way while the next records are folded.
pub(crate) struct UnderWay {
    task: JoinHandle<(Result<(), StoreError>, Duration)>,
    began: Moment,
    /// How long it took, once it has ended.
    took: Duration,
    /// The segment of identities that grew at the end of the batch: those before it are stored with it.
    pub(crate) growing: u32,
    /// The offset up to which everything is committed with it.
    pub(crate) until: Offset,
}

impl UnderWay {
    /// Begins to commit a batch.
    pub(crate) fn new<S: Store>(store: Arc<S>, batch: Batch, growing: u32) -> Self {
        let (until, began) = (batch.head.next, Moment::now());
        let task = tokio::spawn(async move { (surely_commit(&*store, &batch).await, began.elapsed()) });
        Self { task, began, took: Duration::ZERO, growing, until }
    }

    /// Whether it has come to an end.
    pub(crate) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for the end; whoever stops waiting may wait again.
    pub(crate) async fn end(&mut self) -> Result<(), StoreError> {
        let (ended, took) = (&mut self.task).await.expect("a commit does not panic");
        self.took = took;
        ended
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
