//! The projector of one partition: position, read, fold, commit.

mod committing;

use std::sync::Arc;

use eventlog::{EventLog, Stretch};
use ledger::{Catalogue, Instant, Offset, Partition, Past, Position};
use mutants::{Mutant, is_on};
use store::rows::{Batch, Counts, Head};
use store::{Store, StoreError};
use tokio::sync::Semaphore;

use crate::ahead::Ahead;
use crate::asking::{Desk, Question, Reached};
use crate::commit::{Pace, UnderWay, empty_batch};
use crate::error::ProjectorError;
use crate::folding::{Answers, Folded, Folding};
use crate::loading::{Loading, Room};
use crate::prefetch::{load_all, prefetch};
use crate::rows;
use crate::same_log::{check_same_log, wrong_genesis};
use crate::seen::Identities;
use crate::stored::read_catalogue;

/// Most records that one commit takes in when there is much to catch up on.
const BATCH: usize = 32_768;
/// Records that are read and looked up together: some hundred, so that a store is asked for many wallets at once.
const CHUNK: usize = 512;
/// Above so many wallets whose pasts are remembered for corrections, all pasts are forgotten.
const MOST_PASTS: usize = 1_000;
/// A record stamped further ahead than this waits (design, section 2).
const AHEAD: i64 = 60_000_000_000;

/// One partition's projector. It owns the partition's wallets in memory, and alone writes their rows.
pub struct Projector<L, S> {
    log: Arc<L>,
    store: Arc<S>,
    partition: Partition,
    folding: Folding,
    room: Room,
    /// Wallets that are read beside the folding, while there are some that were not.
    loading: Option<Loading>,
    /// The wallet that the next record corrects: what is on its way to the store must be there first.
    awaited: Option<i64>,
    /// Whose turn it is to fold, where several partitions share the processors.
    turns: Arc<Semaphore>,
    /// What was folded and awaits its commit.
    pending: Option<Batch>,
    /// The commit that is under way while more is folded.
    under_way: Option<UnderWay>,
    pace: Pace,
    desk: Arc<Desk>,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// How many records were folded.
    pub folded: usize,
    /// Why the next record waits, if it does: it was recorded at this time, which has not come.
    pub ahead: Option<Instant>,
}

impl<L: EventLog, S: Store> Projector<L, S> {
    /// Takes a partition over: from now on, whoever had it before can commit nothing.
    ///
    /// # Errors
    ///
    /// [`ProjectorError::AnotherLog`] if the log is not the one that was folded here; and what log and store say.
    pub async fn open(
        log: Arc<L>,
        store: Arc<S>,
        partition: Partition,
        log_id: &str,
    ) -> Result<Self, ProjectorError> {
        let head = store.acquire(partition, log_id).await?;
        Self::at(log, store, head, Room::default()).await
    }

    /// Goes on from where a partition stands that was taken over.
    ///
    /// # Errors
    ///
    /// As [`Projector::open`].
    pub async fn at(log: Arc<L>, store: Arc<S>, head: Head, room: Room) -> Result<Self, ProjectorError> {
        let partition = head.partition;
        check_same_log(&*log, &head).await?;
        let reached = Reached { folded: head.next, committed: head.next };
        let opening = store.opening(partition).await?.filter(|opening| opening.head == head);
        let opening = opening.ok_or(StoreError::Fenced { partition, from: head.next })?;
        let mut folding = Folding::new(partition, log.partitions(), head);
        if let Some(text) = opening.catalogue {
            let (catalogue, published) = read_catalogue(&text)?;
            (folding.catalogue, folding.published) = (Arc::new(catalogue), published);
        } else if folding.head.fold > 0 {
            Arc::make_mut(&mut folding.catalogue).begin(folding.head.fold);
        }
        folding.identities = Identities::load(&opening.filters, &opening.growing);
        if folding.head.wallets <= room.at_once {
            load_all(&mut folding, &*store).await?;
        }
        let opened = Self {
            log,
            store,
            partition,
            folding,
            room,
            loading: None,
            awaited: None,
            turns: Arc::new(Semaphore::new(1)),
            pending: None,
            under_way: None,
            pace: Pace::default(),
            desk: Arc::default(),
        };
        opened.desk.reached().send_replace(reached);
        // The wallets that were read are of the head only if nobody moved it meanwhile: not another projector, nor a restored dump.
        opened.confirm(opened.next()).await?;
        Ok(opened)
    }

    /// Takes turns in folding with the other partitions of the process. A processor that is left to the commits keeps the store
    /// busy: it is what takes the longest.
    pub(crate) fn taking_turns(mut self, turns: Arc<Semaphore>) -> Self {
        self.turns = turns;
        self
    }

    /// Tells how far it has come, and what becomes of records that are waited for, at this desk.
    pub(crate) fn answering_at(mut self, desk: Arc<Desk>) -> Self {
        desk.reached().send_replace(*self.desk.reached().borrow());
        self.desk = desk;
        self
    }

    /// Answers what was asked of a wallet.
    pub(crate) fn answer(&self, question: Question) {
        question.answer(&self.folding);
    }

    /// Reads the wallets that are not in memory yet, beside the folding, if there is room for all.
    pub(crate) fn load_beside(&mut self) {
        if !self.folding.complete && self.folding.head.wallets <= self.room.most as u64 / 2 {
            self.loading = Some(Loading::begin(self.store.clone(), self.partition));
        }
    }

    /// The partition.
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The offset of the next record to fold.
    pub fn next(&self) -> Offset {
        self.folding.head.next
    }

    /// What became of the partition's records since its beginning.
    pub fn counts(&self) -> Counts {
        self.folding.head.counts
    }

    /// The catalogue as folded so far.
    pub fn catalogue(&self) -> &Catalogue {
        &self.folding.catalogue
    }

    /// Where the catalogue records stand that were accepted here, in order.
    pub fn published(&self) -> &[Offset] {
        &self.folding.published
    }

    /// Reads the next stretch, folds it, and has it committed. It may await its commit, or be on its way, when this returns:
    /// [`Projector::committed`] waits for that.
    ///
    /// # Errors
    ///
    /// Whatever stops the partition. The projector must be opened again then: its memory is ahead of the store.
    pub async fn step(&mut self, now: Instant) -> Result<Step, ProjectorError> {
        loop {
            self.make_room().await?;
            let room = BATCH - self.waiting();
            let stretch = self.log.read(self.partition, self.folding.head.next, room).await?;
            if stretch.is_empty() {
                self.commit_next().await?;
                return Ok(Step::default());
            }
            self.folding.turn();
            let mut batch = match self.pending.take() {
                Some(batch) => batch,
                None => empty_batch(&self.folding.head, stretch.len()),
            };
            let turn = self.turns.clone().acquire_owned().await.expect("it is never closed");
            let (step, stopped) = self.fold(&stretch, now, &mut batch).await?;
            drop(turn);
            if let Some(last) = step.folded.checked_sub(1) {
                self.folding.seal(stretch.get(last));
                let folded = self.folding.head.next;
                self.desk.passed(self.folding.head.clock);
                self.desk.reached().send_modify(|reached| reached.folded = folded);
            }
            self.pending = Some(batch).filter(|batch| batch.from < self.folding.head.next);
            self.commit_next().await?;
            if let Some(error) = stopped {
                self.committed().await?;
                return Err(error);
            }
            if step.folded > 0 || self.awaited.is_none() {
                return Ok(step);
            }
        }
    }

    /// Forgets what the store has, when it is much; and waits for what a correction must find there.
    async fn make_room(&mut self) -> Result<(), ProjectorError> {
        let many = self.folding.slots.len() > self.room.most;
        let many_pasts = self.folding.pasts.len() > MOST_PASTS;
        if many || many_pasts || self.awaited.is_some() {
            // What is still on its way to the store would be missed there.
            self.committed().await?;
        }
        if many {
            // What was read before may be older by now than what is forgotten.
            self.loading = None;
            self.folding.forget_all_but(self.room.most / 2);
        }
        if many_pasts {
            self.folding.pasts.forget();
        }
        if let Some(wallet) = self.awaited.take() {
            self.folding.pasts.remember(wallet, self.folding.head.next);
        }
        Ok(())
    }

    /// Folds a stretch as far as it can be. Says what stopped it, if something did.
    async fn fold(
        &mut self,
        stretch: &Stretch,
        now: Instant,
        batch: &mut Batch,
    ) -> Result<(Step, Option<ProjectorError>), ProjectorError> {
        let mut folded = 0;
        let mut scratch = self.folding.scratch();
        while folded < stretch.len() {
            let end = stretch.len().min(folded + CHUNK);
            let mut chunk: Vec<Ahead<'_>> =
                (folded..end).map(|at| Ahead::read(stretch.get(at), &mut scratch)).collect();
            let told = prefetch(&mut self.folding, &*self.store, &mut chunk).await?;
            for ahead in &chunk {
                let at = Position { partition: self.partition, offset: self.folding.head.next };
                let mut answers = Answers::new();
                if let Some(record) = ahead.record() {
                    let recorded_at = record.envelope.recorded_at;
                    if recorded_at > now.plus(AHEAD) {
                        return Ok((Step { folded, ahead: Some(recorded_at) }, None));
                    }
                    if let Some(found) = wrong_genesis(record, at.offset, &self.folding) {
                        let log = self.folding.head.log.clone();
                        return Err(ProjectorError::Genesis { partition: self.partition, log, found });
                    }
                }
                if let Some(record) = ahead.record()
                    && !self.folding.asks(record, &Past::default()).is_empty()
                {
                    if !self.knows_past_of(record, batch.from) {
                        return Ok((Step { folded, ahead: None }, None));
                    }
                    // Rows that another projector has written are no past of what is in memory here: neither when it still has the
                    // partition afterwards, nor when the store went back meanwhile to what it was before.
                    self.confirm(batch.from).await?;
                    answers = self.folding.past_of(&*self.store, record, &told).await?;
                    self.confirm(batch.from).await?;
                }
                let before = batch.entries.len();
                let mut sink = |did: Folded<'_>| rows::add(batch, did);
                if let Err(what) = self.folding.fold(ahead, &told, answers, &mut sink) {
                    return Ok((Step { folded, ahead: None }, Some(ProjectorError::NewerBuild { at, what })));
                }
                self.folding.link(ahead.bytes);
                folded += 1;
                self.desk.tell(ahead, (at, before), batch, &self.folding);
            }
        }
        Ok((Step { folded, ahead: None }, None))
    }

    /// Whether the store, with what is remembered, has all of the wallet's past. If not, the batch ends before the record: once it
    /// is committed, the wallet is remembered from there on.
    fn knows_past_of(&mut self, record: &ledger::Record<'_>, batch_from: Offset) -> bool {
        let slot = self.folding.wallet(record.wallet());
        let Some(no) = slot.map(|slot| slot.no).filter(|no| !self.folding.pasts.holds(*no)) else {
            return true;
        };
        let is_stored = batch_from == self.folding.head.next && self.under_way.is_none();
        if is_stored || is_on(Mutant::PastNotAwaited) {
            self.folding.pasts.remember(no, self.folding.head.next);
            return true;
        }
        self.awaited = Some(no);
        false
    }
}
