//! Proof: the log folded again from its first record, and compared with what is stored.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use eventlog::EventLog;
use ledger::{Offset, Partition, Position};
use store::Store;
use store::rows::{
    Batch, CounterRow, EntryRow, GrantRow, Head, IdRow, LeftRow, LotRow, QuarantineRow, RecordRow, WalletRow,
};

use crate::ahead::{Ahead, CHUNK};
use crate::commit::empty_batch;
use crate::error::ProjectorError;
use crate::folding::{Folded, Folding};
use crate::pasts::{Pasts, Remembers};
use crate::prefetch::prefetch;
use crate::rows;

/// Records that are folded and compared together.
const STRETCH: usize = 16_384;
/// Rows that are read at once.
const PAGE: u32 = 16_384;

/// What a comparison found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// How many records were folded again.
    pub records: u64,
    /// How many rows were compared.
    pub rows: u64,
    /// The partition's digest, recomputed.
    pub digest: [u8; 32],
    /// The chain over the raw records, recomputed.
    pub chain: [u8; 32],
    /// How long reading and comparing rows took.
    pub rows_took: Duration,
    /// The first difference, by offset; none if all is as it must be.
    pub divergence: Option<Divergence>,
}

/// A place where what is stored is not what the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The first record that diverges.
    pub at: Position,
    /// The table, or `head`.
    pub table: &'static str,
    /// What the log says.
    pub expected: String,
    /// What is stored.
    pub found: String,
}

/// How much is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Chain, digests and counts.
    Digests,
    /// Every row too.
    Rows,
}

/// Refolds a partition up to where it is committed, and compares.
///
/// # Errors
///
/// What the log and the store say, and [`ProjectorError::NewerBuild`].
pub async fn verify<L: EventLog, S: Store>(
    log: Arc<L>,
    store: Arc<S>,
    partition: Partition,
    depth: Depth,
    mut progress: impl FnMut(usize) + Send,
) -> Result<Verified, ProjectorError> {
    let Some(head) = store.head(partition).await? else { return Ok(Verified::default()) };
    let mut folding = Folding::new(partition, log.partitions(), Folding::start(partition, &head.log));
    folding.pasts = Pasts::of(Remembers::These(store.corrected(partition).await?.into_iter().collect()));
    let mut check =
        Check { log, store, folding, rest: Rest::default(), verified: Verified::default(), depth };
    while check.folding.head.next < head.next && check.verified.divergence.is_none() {
        let before = check.verified.records;
        if !check.stretch(head.next).await? {
            break;
        }
        progress(usize::try_from(check.verified.records - before).unwrap_or(usize::MAX));
    }
    if check.verified.divergence.is_none() && depth == Depth::Rows {
        check.state().await?;
    }
    check.head(&head);
    Ok(check.verified)
}

/// What is compared at the end, by key: the last row of each counts.
#[derive(Default)]
struct Rest {
    wallets: BTreeMap<i64, (Offset, WalletRow)>,
    lots: BTreeMap<(i64, String), (Offset, LotRow)>,
    grants: BTreeMap<(i64, String), (Offset, GrantRow)>,
    left: BTreeMap<(i64, u8, String), (Offset, LeftRow)>,
    counters: BTreeMap<(i64, String, String, i64), (Offset, CounterRow)>,
    quarantined: Vec<QuarantineRow>,
    /// The identities of the segment that grows.
    ids: Vec<IdRow>,
    /// Each wallet's last record: what changed the rows that are kept by key.
    last: HashMap<i64, Offset>,
}

struct Check<L, S> {
    log: Arc<L>,
    store: Arc<S>,
    folding: Folding,
    rest: Rest,
    verified: Verified,
    depth: Depth,
}

impl<L: EventLog, S: Store> Check<L, S> {
    /// Folds and compares the next stretch. Answers whether there was one.
    async fn stretch(&mut self, end: Offset) -> Result<bool, ProjectorError> {
        let from = self.folding.head.next;
        let limit = STRETCH.min(usize::try_from(end.0 - from.0).unwrap_or(STRETCH));
        let stretch = self.log.read(self.folding.head.partition, from, limit).await?;
        let mut scratch = Vec::new();
        let deep = self.depth == Depth::Rows;
        let mut batch = empty_batch(&self.folding.head, if deep { stretch.len() } else { 0 });
        for start in (0..stretch.len()).step_by(CHUNK) {
            let mut chunk: Vec<Ahead<'_>> = (start..stretch.len().min(start + CHUNK))
                .map(|at| Ahead::read(stretch.get(at), &mut scratch))
                .collect();
            let told = prefetch(&mut self.folding, &*self.store, &mut chunk).await?;
            for ahead in &chunk {
                let at = Position { partition: self.folding.head.partition, offset: self.folding.head.next };
                let last = &mut self.rest.last;
                let sink = |did: Folded<'_>| {
                    if deep {
                        last.extend(did.wallet.map(|no| (no, did.offset)));
                        rows::add(&mut batch, did);
                    }
                };
                let answers = ahead.record().map(|record| self.folding.answers(record));
                let folded = self.folding.fold(ahead, &told, answers.unwrap_or_default(), &mut { sink });
                folded.map_err(|what| ProjectorError::NewerBuild { at, what })?;
                self.folding.link(ahead.bytes);
            }
        }
        if let Some(last) = stretch.len().checked_sub(1) {
            self.folding.seal(stretch.get(last));
        }
        self.verified.records += stretch.len() as u64;
        // All up to the end is committed: what is not among the newest is asked of the store.
        let growing = self.folding.identities.growing();
        self.folding.identities.stored_before(growing);
        if deep {
            rows::finish(&mut batch, &mut self.folding);
            self.compare(batch, from).await?;
        }
        Ok(!stretch.is_empty())
    }

    async fn compare(&mut self, batch: Batch, from: Offset) -> Result<(), ProjectorError> {
        let watch = Stopwatch::now();
        let (partition, to) = (self.folding.head.partition, self.folding.head.next);
        let entries = self.store.entries_between(partition, from, to).await?;
        let records = self.store.records_between(partition, from, to).await?;
        self.verified.rows += (entries.len() + records.len()) as u64;
        self.differ("entry", &batch.entries, &entries, |e: &EntryRow| (e.offset, e.line));
        self.differ("record", &batch.records, &records, |r: &RecordRow| (r.offset, ()));
        for row in batch.ids {
            if self.rest.ids.first().is_some_and(|first| first.segment != row.segment) {
                self.segment().await?;
            }
            self.rest.ids.push(row);
        }
        self.rest.quarantined.extend(batch.quarantined);
        let rest = &mut self.rest;
        let at = |wallet: i64| rest.last.get(&wallet).copied().unwrap_or_default();
        let wallets = batch.wallets.into_iter();
        rest.wallets.extend(wallets.map(|w| (w.no, (at(w.no), WalletRow { as_of: Offset(0), ..w }))));
        rest.lots.extend(batch.lots.into_iter().map(|l| ((l.wallet, l.lot.clone()), (at(l.wallet), l))));
        rest.grants.extend(batch.grants.into_iter().map(|g| ((g.wallet, g.grant.clone()), (g.offset, g))));
        rest.left
            .extend(batch.left.into_iter().map(|l| ((l.wallet, l.kind, l.key.clone()), (at(l.wallet), l))));
        let counters = batch.counters.into_iter();
        let key = |c: &CounterRow| (c.wallet, c.price.clone(), c.charge.clone(), c.period);
        rest.counters.extend(counters.map(|c| (key(&c), (at(c.wallet), c))));
        self.verified.rows_took += watch.elapsed();
        Ok(())
    }

    /// Compares the identities of a segment.
    async fn segment(&mut self) -> Result<(), ProjectorError> {
        let mut expected = std::mem::take(&mut self.rest.ids);
        let Some(first) = expected.first() else { return Ok(()) };
        let mut found = self.store.segment(self.folding.head.partition, first.segment).await?;
        let key = |row: &IdRow| (row.offset, row.key);
        expected.sort_unstable_by_key(key);
        found.sort_unstable_by_key(key);
        self.verified.rows += found.len() as u64;
        self.differ("id", &expected, &found, key);
        Ok(())
    }

    /// Compares what is kept by key and not by offset.
    async fn state(&mut self) -> Result<(), ProjectorError> {
        let watch = Stopwatch::now();
        self.segment().await?;
        let partition = self.folding.head.partition;
        let rest = std::mem::take(&mut self.rest);
        let store = self.store.clone();
        let quarantined = store.quarantined(partition).await?;
        self.verified.rows += quarantined.len() as u64;
        self.differ("quarantine", &rest.quarantined, &quarantined, |q| (q.offset, ()));

        let mut found = Vec::new();
        while let Some(page) =
            page(store.all_wallets(partition, found.last().map(|w: &WalletRow| w.no), PAGE)).await?
        {
            found.extend(page.into_iter().map(|w| WalletRow { as_of: Offset(0), ..w }));
        }
        let at = |wallet: i64| rest.last.get(&wallet).copied().unwrap_or_default();
        self.differ_by_key("wallet", rest.wallets, found, |w| w.no, |w| at(w.no));
        let mut found: Vec<LotRow> = Vec::new();
        let last = |l: &LotRow| (l.wallet, l.lot.clone());
        while let Some(page) = page(store.all_lots(partition, found.last().map(last), PAGE)).await? {
            found.extend(page);
        }
        self.differ_by_key("lot", rest.lots, found, last, |l| at(l.wallet));
        let mut found: Vec<GrantRow> = Vec::new();
        let last = |g: &GrantRow| (g.wallet, g.offset);
        while let Some(page) = page(store.all_grants(partition, found.last().map(last), PAGE)).await? {
            found.extend(page);
        }
        self.differ_by_key("grant", rest.grants, found, |g| (g.wallet, g.grant.clone()), |g| g.offset);
        let mut found: Vec<LeftRow> = Vec::new();
        let last = |l: &LeftRow| (l.wallet, l.kind, l.key.clone());
        while let Some(page) = page(store.all_left(partition, found.last().map(last), PAGE)).await? {
            found.extend(page);
        }
        self.differ_by_key("left", rest.left, found, last, |l| at(l.wallet));
        let mut found: Vec<CounterRow> = Vec::new();
        let last = |c: &CounterRow| (c.wallet, c.price.clone(), c.charge.clone(), c.period);
        while let Some(page) = page(store.all_counters(partition, found.last().map(last), PAGE)).await? {
            found.extend(page);
        }
        self.differ_by_key("counter", rest.counters, found, last, |c| at(c.wallet));
        self.verified.rows_took += watch.elapsed();
        Ok(())
    }

    /// Compares chain, digest and counts.
    fn head(&mut self, stored: &Head) {
        let mut batch = empty_batch(&self.folding.head, 0);
        rows::finish(&mut batch, &mut self.folding);
        let ours = Head { epoch: stored.epoch, ..self.folding.head.clone() };
        self.verified.digest = ours.digest;
        self.verified.chain = ours.chain;
        if self.verified.divergence.is_none() && ours != *stored {
            let offset = Offset(stored.next.0.saturating_sub(1));
            let at = Position { partition: stored.partition, offset };
            let (expected, found) = (format!("{ours:?}"), format!("{stored:?}"));
            self.verified.divergence = Some(Divergence { at, table: "head", expected, found });
        }
    }

    /// Notes the first place where two lists, both in the order of their keys, are not the same.
    fn differ<R: PartialEq + Debug, K: Ord>(
        &mut self,
        table: &'static str,
        expected: &[R],
        found: &[R],
        key: impl Fn(&R) -> (Offset, K),
    ) {
        let longer = expected.len().max(found.len());
        let Some(at) = (0..longer).find(|at| expected.get(*at) != found.get(*at)) else { return };
        let (mut expected, mut found) = (expected.get(at), found.get(at));
        // Where a row is missing, the one that follows it stands in its place.
        match expected.map(&key).zip(found.map(&key)).map(|(ours, theirs)| ours.cmp(&theirs)) {
            Some(Ordering::Less) => found = None,
            Some(Ordering::Greater) => expected = None,
            Some(Ordering::Equal) | None => {}
        }
        let (at, _) = expected.or(found).map(key).expect("one of them is there");
        self.note(at, table, expected, found);
    }

    fn differ_by_key<K: Ord, R: PartialEq + Debug>(
        &mut self,
        table: &'static str,
        mut expected: BTreeMap<K, (Offset, R)>,
        found: Vec<R>,
        key: impl Fn(&R) -> K,
        offset: impl Fn(&R) -> Offset,
    ) {
        self.verified.rows += found.len() as u64;
        for row in found {
            match expected.remove(&key(&row)) {
                Some((_, expected)) if expected == row => {}
                Some((at, expected)) => self.note(at, table, Some(&expected), Some(&row)),
                None => self.note(offset(&row), table, None, Some(&row)),
            }
        }
        for (_, (at, missing)) in expected {
            self.note(at, table, Some(&missing), None);
        }
    }

    fn note<R: Debug>(
        &mut self,
        offset: Offset,
        table: &'static str,
        expected: Option<&R>,
        found: Option<&R>,
    ) {
        let sooner = |d: &Divergence| d.at.offset <= offset;
        if self.verified.divergence.as_ref().is_some_and(sooner) {
            return;
        }
        let show = |row: Option<&R>| row.map_or_else(|| "no row".to_owned(), |row| format!("{row:?}"));
        let at = Position { partition: self.folding.head.partition, offset };
        self.verified.divergence =
            Some(Divergence { at, table, expected: show(expected), found: show(found) });
    }
}

/// A page of rows; none when there are no more.
async fn page<R>(
    rows: impl Future<Output = Result<Vec<R>, store::StoreError>>,
) -> Result<Option<Vec<R>>, store::StoreError> {
    rows.await.map(|rows| (!rows.is_empty()).then_some(rows))
}
