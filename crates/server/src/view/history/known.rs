//! A wallet as it was known at a moment: its records up to then, folded again.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{Catalogue, Changes, Instant, Lot, Name, Offset, Partition, Position, Used, Wallet, advanced};
use projector::{Did, History, ProjectorError, places, read_each};

use super::legs::Moves;
use super::recorded::{Booked, Recorded};
use super::refold::Refold;
use super::standing::{Cut, Standing};
use crate::view::{AsOf, NoAnswer, Reading, WalletNow, when};

/// A wallet as known at a moment.
pub(crate) struct Known {
    pub(crate) id: String,
    pub(super) no: i64,
    pub(crate) partition: Partition,
    /// When it was known so.
    pub(crate) at: Instant,
    /// After the records of the partition below this offset.
    pub(crate) next: Offset,
    pub(crate) behind: u64,
    pub(crate) records: Vec<Recorded>,
    pub(crate) catalogue: Arc<Catalogue>,
    /// As it was after its last record, and all that is remembered of it.
    pub(super) history: History,
    /// Advanced to the moment, or to a later one that was asked for.
    pub(crate) wallet: Wallet,
    pub(super) due: Changes,
    /// Lots of quiet grants that nothing had touched when they were seen.
    pub(super) quiet: BTreeMap<Name, Lot>,
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
        if at > now {
            let (at, now) = (when(at), when(now));
            return Err(NoAnswer(format!("nothing is known at {at} yet: it is {now} now")).into());
        }
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
    pub(super) fn check(&self) -> anyhow::Result<()> {
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
