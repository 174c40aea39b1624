//! A wallet as it was known at a moment: its records up to then, folded again.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::ensure;
use ledger::{
    Catalogue, Changes, Event, Instant, Lot, Name, Offset, Partition, Position, Record, Used, Wallet,
    advanced,
};
use projector::{Did, History, ProjectorError, places, read_each};

use super::legs::Moves;
use super::recorded::{Booked, Recorded};
use super::standing::{Cut, Standing};
use crate::view::reading::Found;
use crate::view::{AsOf, Reading, WalletNow, when};

/// A wallet as known at a moment.
pub(crate) struct Known {
    pub(crate) id: String,
    no: i64,
    pub(crate) partition: Partition,
    /// When it was known so.
    pub(crate) at: Instant,
    /// After the records of the partition below this offset.
    pub(crate) next: Offset,
    pub(crate) behind: u64,
    pub(crate) records: Vec<Recorded>,
    pub(crate) catalogue: Arc<Catalogue>,
    /// As it was after its last record, and all that is remembered of it.
    history: History,
    /// Advanced to the moment, or to a later one that was asked for.
    pub(crate) wallet: Wallet,
    due: Changes,
    /// Lots of quiet grants that nothing had touched when they were seen.
    quiet: BTreeMap<Name, Lot>,
}

/// One record seen closely: what it met, and what it did.
pub(crate) struct Close {
    /// The record's bytes.
    pub(crate) bytes: Vec<u8>,
    /// What it did, with the lots that were considered.
    pub(crate) did: Did,
    /// The wallet just before it, advanced to its clock.
    pub(crate) before: Wallet,
    pub(crate) after: Wallet,
}

impl Known {
    /// Folds a wallet's records up to clock `at` again; left out, all. What is asked of `moments` later can be answered.
    ///
    /// # Errors
    ///
    /// If no record names it, `at` has not come yet, the log cannot be read, or entries and wallet disagree.
    pub(crate) async fn read(
        reading: &Reading,
        id: &str,
        at: Option<Instant>,
        moments: &[Instant],
    ) -> anyhow::Result<Self> {
        let found = reading.find(id).await?;
        let now = reading.now;
        let at = at.unwrap_or(now);
        ensure!(at <= now, "nothing is known at {} yet: it is {} now", when(at), when(now));
        let places = places(&*reading.store, found.partition, found.row.no, found.next).await?;
        let mut moments: Vec<Instant> = moments.iter().copied().filter(|moment| *moment < at).collect();
        moments.sort_unstable();
        let log = projector::log_id(&*reading.log).await?;
        let mut refold = Refold::new(&found, reading.log_partitions(), &log, id, at, moments);
        let sink = |offset, bytes: &[u8]| refold.take(offset, bytes).transpose();
        if let Some(stopped) = read_each(&*reading.log, found.partition, &places, sink).await? {
            stopped?;
        }
        refold.end(&found)
    }

    /// The same, with nothing happening until `until` but time.
    pub(crate) fn advance_to(&mut self, until: Instant) {
        let empty = Wallet::new();
        let last = self.history.wallet(&self.id).unwrap_or(&empty);
        (self.wallet, self.due) = advanced(&self.catalogue, last, until.max(self.at));
    }

    /// What it shows as its balance, held or due.
    pub(crate) fn now(self) -> WalletNow {
        WalletNow {
            as_of: self.as_of(self.wallet.clock),
            id: self.id,
            no: self.no,
            behind: self.behind,
            catalogue: self.catalogue,
            wallet: self.wallet,
            due: self.due,
        }
    }

    pub(crate) fn as_of(&self, time: Instant) -> AsOf {
        AsOf { partition: self.partition.0, offset: self.next.0, time }
    }

    /// All entries: of its records, and what time alone has done since.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Booked<'_>> {
        let due = self.due.entries.iter().map(|entry| Booked { entry, by: None, is_times: true });
        self.records.iter().flat_map(Recorded::booked).chain(due)
    }

    /// The entries as movements of credits and of overage.
    pub(crate) fn moves(&self) -> anyhow::Result<Moves<'_>> {
        Moves::of(self.entries())
    }

    /// A lot as it was when it was last known.
    pub(crate) fn lot(&self, id: &str) -> Option<&Lot> {
        let here = self.wallet.lots().iter().find(|lot| *lot.id == *id);
        let left = || self.due.left.iter().rev().find(|lot| *lot.id == *id);
        let before = || self.history.memory(&self.id).and_then(|memory| memory.left_lot(id));
        here.or_else(left).or_else(before)
    }

    /// Lots of quiet grants that were seen open at a moment that was asked for before anything had touched them.
    pub(crate) fn quiet(&self, at: Instant) -> impl Iterator<Item = &Lot> {
        self.quiet.values().filter(move |lot| lot.holds(at))
    }

    /// A usage as it is in effect.
    pub(crate) fn used(&self, offset: Offset) -> Option<&Used> {
        self.history.used(&self.id, offset)
    }

    /// Fails if the entries do not add up to the wallet.
    fn check(&self) -> anyhow::Result<()> {
        let moves = self.moves()?;
        let sums = Standing::of(&moves, Cut::AsOf(self.wallet.clock))?;
        if let Some(what) = sums.differs(&self.wallet) {
            anyhow::bail!("the entries of `{}` do not add up to it: {what}. Run `drawdown verify`", self.id);
        }
        Ok(())
    }

    /// Folds up to a record again, and looks at it closely.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub(crate) async fn close(&self, reading: &Reading, offset: Offset) -> anyhow::Result<Close> {
        let places = places(&*reading.store, self.partition, self.no, offset.plus(1)).await?;
        let log = projector::log_id(&*reading.log).await?;
        let mut history = History::new(self.partition, reading.log_partitions(), &log);
        let clock = self.records.iter().find(|r| r.at.offset == offset).map(|r| r.clock).unwrap_or_default();
        let sink = |at: Offset, bytes: &[u8]| {
            if at < offset {
                return history.fold(at, bytes).err().map(Err);
            }
            history.watch();
            let before = history.wallet(&self.id).cloned().unwrap_or_default();
            let (before, _) = advanced(history.catalogue(), &before, clock);
            let did = history.fold(at, bytes);
            let after = history.wallet(&self.id).cloned().unwrap_or_default();
            Some(did.map(|did| Close { bytes: bytes.to_vec(), did, before, after }))
        };
        let close = read_each(&*reading.log, self.partition, &places, sink).await?;
        let at = Position { partition: self.partition, offset };
        let close = close.ok_or_else(|| anyhow::anyhow!("there is no record at {at}"))?;
        close.map_err(|what| ProjectorError::NewerBuild { at, what }.into())
    }
}

/// A wallet's records on their way through a fold.
struct Refold<'a> {
    history: History,
    id: &'a str,
    partition: Partition,
    at: Instant,
    /// Moments that are asked for and have not come yet.
    moments: Vec<Instant>,
    records: Vec<Recorded>,
    quiet: BTreeMap<Name, Lot>,
    /// Catalogue records from after the moment: they count only if a record of the wallet follows that does.
    waiting: Vec<(Offset, Vec<u8>)>,
    next: Option<Offset>,
}

impl<'a> Refold<'a> {
    fn new(
        found: &Found,
        partitions: u32,
        log: &str,
        id: &'a str,
        at: Instant,
        moments: Vec<Instant>,
    ) -> Self {
        Self {
            history: History::new(found.partition, partitions, log),
            id,
            partition: found.partition,
            at,
            moments,
            records: Vec::new(),
            quiet: BTreeMap::new(),
            waiting: Vec::new(),
            next: None,
        }
    }

    /// Takes the next record; answers with something when it is the first that was not known yet.
    fn take(&mut self, offset: Offset, bytes: &[u8]) -> Result<Option<()>, ProjectorError> {
        let Ok(record) = ledger::decode(bytes) else { return self.fold(offset, bytes).map(|_| None) };
        if !record.event.is_of_wallet() {
            let is_later =
                matches!(record.event, Event::CataloguePublished(_)) && record.envelope.recorded_at > self.at;
            if is_later {
                self.waiting.push((offset, bytes.to_vec()));
                return Ok(None);
            }
            return self.fold(offset, bytes).map(|_| None);
        }
        let clock = self.clock().max(record.envelope.recorded_at);
        if clock > self.at {
            self.next = Some(offset);
            return Ok(Some(()));
        }
        for (offset, bytes) in std::mem::take(&mut self.waiting) {
            self.fold(offset, &bytes)?;
        }
        self.pass(clock);
        let recorded = self.apply(offset, bytes, clock, &record)?;
        self.records.push(recorded);
        self.see(None);
        Ok(None)
    }

    fn apply(
        &mut self,
        offset: Offset,
        bytes: &[u8],
        clock: Instant,
        record: &Record<'_>,
    ) -> Result<Recorded, ProjectorError> {
        let at = Position { partition: self.partition, offset };
        let due = self.history.wallet(self.id).filter(|w| w.next_due_at().is_some_and(|due| due <= clock));
        let by_time =
            due.map_or(0, |wallet| advanced(self.history.catalogue(), wallet, clock).1.entries.len());
        let did = self.fold(offset, bytes)?;
        let recorded = Recorded::of(at, clock, record);
        let corrects = did.changes.used.map(|used| used.offset);
        let of = |usage| self.records.binary_search_by_key(&usage, |r| r.at.offset).ok();
        let corrected = corrects.and_then(of).and_then(|at| self.records[at].about.clone());
        Ok(Recorded {
            outcome: did.outcome,
            entries: did.changes.entries,
            by_time,
            corrects,
            about: corrected.or_else(|| recorded.about.clone()),
            ..recorded
        })
    }

    fn fold(&mut self, offset: Offset, bytes: &[u8]) -> Result<Did, ProjectorError> {
        let at = Position { partition: self.partition, offset };
        self.history.fold(offset, bytes).map_err(|what| ProjectorError::NewerBuild { at, what })
    }

    fn clock(&self) -> Instant {
        self.history.wallet(self.id).map(|wallet| wallet.clock).unwrap_or_default()
    }

    /// Looks at the moments that lie before a clock.
    fn pass(&mut self, clock: Instant) {
        let passed = self.moments.partition_point(|moment| *moment < clock);
        for moment in self.moments.drain(..passed).collect::<Vec<_>>() {
            self.see(Some(moment));
        }
    }

    /// Notes the lots that nothing has touched: after a record, or at a moment.
    fn see(&mut self, at: Option<Instant>) {
        let Some(wallet) = self.history.wallet(self.id) else { return };
        let moved = at.map(|at| advanced(self.history.catalogue(), wallet, at).0);
        let lots = moved.as_ref().unwrap_or(wallet).lots().iter().filter(|lot| lot.is_untouched());
        self.quiet.extend(lots.map(|lot| (lot.id.clone(), lot.clone())));
    }

    fn end(mut self, found: &Found) -> anyhow::Result<Known> {
        self.pass(self.at);
        self.see(Some(self.at));
        let mut known = Known {
            id: self.id.to_owned(),
            no: found.row.no,
            partition: found.partition,
            at: self.at,
            next: self.next.unwrap_or(found.next),
            behind: found.behind,
            records: self.records,
            catalogue: Arc::new(self.history.catalogue().clone()),
            history: self.history,
            wallet: Wallet::new(),
            due: Changes::default(),
            quiet: self.quiet,
        };
        known.advance_to(known.at);
        known.check()?;
        Ok(known)
    }
}
