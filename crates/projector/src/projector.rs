//! The projector of one partition: position, read, fold, commit.

use std::sync::Arc;

use eventlog::{EventLog, Stretch};
use ledger::{Catalogue, Instant, Offset, Partition, Past, Position, Wallet};
use serde::{Deserialize, Serialize};
use store::rows::{Batch, Counts, Head};
use store::{Store, StoreError};
use tokio::sync::Semaphore;

use crate::ahead::Ahead;
use crate::error::ProjectorError;
use crate::folding::{Answers, Folded, Folding, Told};
use crate::rows;
use crate::same_log::{check_same_log, wrong_genesis};
use crate::seen::{Identities, Seen, next_segment};

/// Most records that one commit takes in when there is much to catch up on.
const BATCH: usize = 32_768;
/// Records that are read and looked up together: some hundred, so that a store is asked for many wallets at once.
const CHUNK: usize = 512;
/// Above so many wallets in memory, all are forgotten before the next step and read again as they are needed.
const MOST_WALLETS: usize = 2_000_000;
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
    most_wallets: usize,
    /// The wallet that the next record corrects: what is on its way to the store must be there first.
    awaited: Option<i64>,
    /// Whose turn it is to fold, where several partitions share the processors.
    turns: Arc<Semaphore>,
    /// The commit that is under way while the next stretch is folded, and the segment of identities that grew at its end.
    under_way: Option<(tokio::task::JoinHandle<Result<(), StoreError>>, u32)>,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// How many records were folded.
    pub folded: usize,
    /// Why the next record waits, if it does: it was recorded at this time, which has not come.
    pub ahead: Option<Instant>,
}

/// The catalogue as the store keeps it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCatalogue {
    published: Vec<Offset>,
    /// The fold version in force.
    fold: u32,
    catalogue: String,
}

/// Reads a partition's catalogue from what the store keeps of it.
///
/// # Errors
///
/// [`ProjectorError::Corrupt`] if it is no catalogue.
pub fn stored_catalogue(text: &str) -> Result<Catalogue, ProjectorError> {
    read_catalogue(text).map(|(catalogue, _)| catalogue)
}

/// The catalogue, and where its records stand.
pub(crate) fn read_catalogue(text: &str) -> Result<(Catalogue, Vec<Offset>), ProjectorError> {
    let corrupt = |why| ProjectorError::Corrupt { what: "catalogue".into(), why };
    let stored: StoredCatalogue = serde_json::from_str(text).map_err(|e| corrupt(e.to_string()))?;
    let mut catalogue = Catalogue::read(&stored.catalogue).map_err(corrupt)?;
    catalogue.begin(stored.fold);
    Ok((catalogue, stored.published))
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
        check_same_log(&*log, &head).await?;
        let mut folding = Folding::new(partition, log.partitions(), head);
        if let Some(text) = store.catalogue(partition).await? {
            (folding.catalogue, folding.published) = read_catalogue(&text)?;
        } else if folding.head.fold > 0 {
            folding.catalogue.begin(folding.head.fold);
        }
        let filters = store.filters(partition).await?;
        let growing = store.segment(partition, next_segment(&filters)).await?;
        folding.identities = Identities::load(&filters, &growing);
        Ok(Self {
            log,
            store,
            partition,
            folding,
            most_wallets: MOST_WALLETS,
            awaited: None,
            turns: Arc::new(Semaphore::new(1)),
            under_way: None,
        })
    }

    /// Takes turns in folding with the other partitions of the process. A processor that is left to the commits keeps the store
    /// busy: it is what takes the longest.
    pub(crate) fn taking_turns(mut self, turns: Arc<Semaphore>) -> Self {
        self.turns = turns;
        self
    }

    /// Bounds how many wallets stay in memory from one step to the next.
    pub fn remember_at_most(&mut self, wallets: usize) {
        self.most_wallets = wallets;
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

    /// Reads the next stretch, folds it, and has it committed. The commit may still be under way when this returns: it is
    /// awaited by the next step, or by [`Projector::committed`].
    ///
    /// # Errors
    ///
    /// Whatever stops the partition. The projector must be opened again then: its memory is ahead of the store.
    pub async fn step(&mut self, now: Instant) -> Result<Step, ProjectorError> {
        loop {
            self.make_room().await?;
            let stretch = self.log.read(self.partition, self.folding.head.next, BATCH).await?;
            if stretch.is_empty() {
                self.committed().await?;
                return Ok(Step::default());
            }
            let mut batch = empty_batch(&self.folding.head, stretch.len());
            let turn = self.turns.clone().acquire_owned().await.expect("it is never closed");
            let (step, stopped) = self.fold(&stretch, now, &mut batch).await?;
            drop(turn);
            if let Some(last) = step.folded.checked_sub(1) {
                self.folding.seal(stretch.get(last));
                rows::finish(&mut batch, &mut self.folding);
                self.commit(batch).await?;
            }
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
        let many = self.folding.slots.len() > self.most_wallets;
        let many_pasts = self.folding.pasts.len() > MOST_PASTS;
        if many || many_pasts || self.awaited.is_some() {
            // What is still on its way to the store would be missed there.
            self.committed().await?;
        }
        if many {
            self.folding.forget();
        }
        if many_pasts {
            self.folding.pasts.forget();
        }
        if let Some(wallet) = self.awaited.take() {
            self.folding.pasts.remember(wallet, self.folding.head.next);
        }
        Ok(())
    }

    /// Waits until all that was folded is committed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] if another projector has the partition now, and whatever else the store says.
    pub async fn committed(&mut self) -> Result<(), ProjectorError> {
        if let Some((commit, growing)) = self.under_way.take() {
            commit.await.expect("a commit does not panic")?;
            self.folding.identities.stored_before(growing);
        }
        Ok(())
    }

    async fn commit(&mut self, mut batch: Batch) -> Result<(), ProjectorError> {
        if self.folding.published.last().is_some_and(|at| *at >= batch.from) {
            let stored = StoredCatalogue {
                published: self.folding.published.clone(),
                fold: self.folding.catalogue.fold_version(),
                catalogue: self.folding.catalogue.write(),
            };
            batch.catalogue = Some(serde_json::to_string(&stored).expect("a catalogue is JSON"));
        }
        self.committed().await?;
        let store = self.store.clone();
        let commit = tokio::spawn(async move { surely_commit(&*store, &batch).await });
        self.under_way = Some((commit, self.folding.identities.growing()));
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
                    if !self.knows_past_of(record, folded) {
                        return Ok((Step { folded, ahead: None }, None));
                    }
                    answers = self.folding.past_of(&*self.store, record, &told).await?;
                }
                let mut sink = |did: Folded<'_>| rows::add(batch, did);
                if let Err(what) = self.folding.fold(ahead, &told, answers, &mut sink) {
                    return Ok((Step { folded, ahead: None }, Some(ProjectorError::NewerBuild { at, what })));
                }
                self.folding.link(ahead.bytes);
                folded += 1;
            }
        }
        Ok((Step { folded, ahead: None }, None))
    }

    /// Whether the store, with what is remembered, has all of the wallet's past. If not, the batch ends before the record: once it
    /// is committed, the wallet is remembered from there on.
    fn knows_past_of(&mut self, record: &ledger::Record<'_>, folded: usize) -> bool {
        let slot = self.folding.wallet(record.wallet());
        let Some(no) = slot.map(|slot| slot.no).filter(|no| !self.folding.pasts.holds(*no)) else {
            return true;
        };
        if folded == 0 && self.under_way.is_none() {
            self.folding.pasts.remember(no, self.folding.head.next);
            return true;
        }
        self.awaited = Some(no);
        false
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

/// Loads what a chunk of records leads to: wallets that are not in memory, identities that memory is not sure of.
pub(crate) async fn prefetch<S: Store>(
    folding: &mut Folding,
    store: &S,
    chunk: &mut [Ahead<'_>],
) -> Result<Told, ProjectorError> {
    folding.look_up(chunk);
    let partition = folding.head.partition;
    if !folding.complete {
        let absent = chunk.iter().filter(|ahead| ahead.slot.is_none()).filter_map(Ahead::record);
        let mut ids: Vec<String> =
            absent.map(|record| record.wallet().to_owned()).filter(|id| !id.is_empty()).collect();
        ids.sort_unstable();
        ids.dedup();
        for row in store.wallets_by_id(partition, &ids).await? {
            let wallet = Wallet::read(&row.doc).map_err(|e| ProjectorError::Corrupt {
                what: format!("wallet {}", row.id),
                why: e.to_string(),
            })?;
            if row.as_of > folding.head.next {
                let from = folding.head.next;
                return Err(StoreError::Fenced { partition, from }.into());
            }
            folding.load(row.no, &row.id, wallet, row.digest);
        }
    }
    folding.identities.warm(chunk);
    let mut probes = Vec::new();
    for key in chunk.iter().flat_map(Ahead::keys) {
        if let Seen::Perhaps(segments) = folding.identities.look(&key) {
            probes.extend(segments.into_iter().map(|segment| (segment, key)));
        }
    }
    let mut told = Told::default();
    if !probes.is_empty() {
        for row in store.ids(partition, &probes).await? {
            told.insert(row.key, ledger::Known { offset: row.offset, content: row.content });
        }
    }
    Ok(told)
}

/// Commits a batch. When it is not known whether it was, the head tells: done, or once more, or fenced.
async fn surely_commit<S: Store>(store: &S, batch: &Batch) -> Result<(), StoreError> {
    let Err(error) = store.commit(batch).await else { return Ok(()) };
    if !matches!(error, StoreError::Database(_) | StoreError::Unknown(_)) {
        return Err(error);
    }
    match store.head(batch.partition).await? {
        Some(head) if head.epoch == batch.epoch && head.next == batch.head.next => Ok(()),
        Some(head) if head.epoch == batch.epoch && head.next == batch.from => store.commit(batch).await,
        Some(_) | None => Err(StoreError::Fenced { partition: batch.partition, from: batch.from }),
    }
}
