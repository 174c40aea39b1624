//! A wallet's records on their way through a fold, up to a moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{Changes, Event, Instant, Lot, Name, Offset, Partition, Position, Record, Wallet, advanced};
use projector::{Did, History, ProjectorError};

use super::known::Known;
use super::recorded::Recorded;
use crate::view::reading::Found;

/// A wallet's records on their way through a fold.
pub(super) struct Refold<'a> {
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
    pub(super) fn new(
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
    pub(super) fn take(&mut self, offset: Offset, bytes: &[u8]) -> Result<Option<()>, ProjectorError> {
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

    pub(super) fn end(mut self, found: &Found) -> anyhow::Result<Known> {
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
