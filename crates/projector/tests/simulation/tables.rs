//! The tables of the simulated store, and what is done to them: at once, whole, and never wrong. Chance is the caller's.

use std::collections::BTreeMap;

use ledger::{Offset, Partition};
use mutants::{Mutant, is_on};
use store::rows::{
    Batch, CounterRow, Counts, EntryRow, FilterRow, GrantRow, Head, IdRow, LeftRow, LotRow, QuarantineRow,
    RecordRow, WalletRow,
};
use store::{CounterKey, Fleet, Lease, StoreError};

/// All of the store, as a dump has it.
#[derive(Clone)]
pub(crate) struct Tables {
    pub(crate) parts: Vec<Part>,
    /// Until when a node lives.
    nodes: BTreeMap<String, u64>,
    /// Who holds a partition, and until when.
    leases: BTreeMap<Partition, (String, u64)>,
}

/// What the store's clock says.
#[derive(Clone, Copy)]
pub(crate) struct Now {
    /// Milliseconds since the world began.
    pub(crate) ms: u64,
    /// Microseconds. No two statements see the same.
    pub(crate) us: i64,
}

/// One partition's rows.
#[derive(Clone, Default)]
pub(crate) struct Part {
    pub(crate) head: Option<Head>,
    pub(crate) entries: BTreeMap<(Offset, u32), EntryRow>,
    pub(crate) records: BTreeMap<Offset, RecordRow>,
    pub(crate) ids: Vec<IdRow>,
    pub(crate) wallets: BTreeMap<i64, WalletRow>,
    pub(crate) lots: BTreeMap<(i64, String), LotRow>,
    pub(crate) grants: BTreeMap<(i64, Offset, String), GrantRow>,
    pub(crate) left: BTreeMap<(i64, u8, String), LeftRow>,
    pub(crate) counters: BTreeMap<CounterKey, CounterRow>,
    pub(crate) quarantined: Vec<QuarantineRow>,
    pub(crate) filters: BTreeMap<u32, FilterRow>,
    pub(crate) catalogue: Option<String>,
}

impl Tables {
    pub(crate) fn new(partitions: u32) -> Self {
        let parts = vec![Part::default(); partitions as usize];
        Self { parts, nodes: BTreeMap::new(), leases: BTreeMap::new() }
    }

    pub(crate) fn part(&self, partition: Partition) -> &Part {
        &self.parts[partition.0 as usize]
    }

    /// The part that a wallet's number belongs to.
    pub(crate) fn part_of(&self, wallet: i64) -> &Part {
        &self.parts[usize::try_from(wallet).expect("wallets are counted from 0") % self.parts.len()]
    }

    pub(crate) fn head(&self, partition: Partition) -> Option<&Head> {
        self.part(partition).head.as_ref()
    }

    pub(crate) fn acquire(&mut self, partition: Partition, log: &str, now: Now) -> Head {
        self.leases.remove(&partition);
        self.raise_epoch(partition, log, now)
    }

    fn raise_epoch(&mut self, partition: Partition, log: &str, now: Now) -> Head {
        let head = self.parts[partition.0 as usize].head.get_or_insert_with(|| Head {
            partition,
            log: log.to_owned(),
            next: Offset(0),
            chain: [0; 32],
            last: [0; 32],
            digest: [0; 32],
            epoch: 0,
            clock: 0,
            counts: Counts::default(),
            wallets: 0,
            fold: 0,
        });
        head.epoch = now.us.max(head.epoch + 1);
        head.clone()
    }

    pub(crate) fn claim(
        &mut self,
        node: &str,
        partition: Partition,
        log: &str,
        now: Now,
        ttl: u32,
    ) -> Option<Head> {
        if self.leases.get(&partition).is_some_and(|(owner, until)| owner != node && *until > now.ms) {
            return None;
        }
        self.leases.insert(partition, (node.to_owned(), now.ms + u64::from(ttl)));
        Some(self.raise_epoch(partition, log, now))
    }

    pub(crate) fn beat(&mut self, node: &str, now: u64, ttl: u32) -> Fleet {
        let end = now + u64::from(ttl);
        self.nodes.insert(node.to_owned(), end);
        self.leases.values_mut().filter(|(owner, _)| owner == node).for_each(|(_, until)| *until = end);
        self.fleet(now)
    }

    pub(crate) fn fleet(&self, now: u64) -> Fleet {
        let lease = |(partition, (owner, until)): (&Partition, &(String, u64))| Lease {
            partition: *partition,
            owner: owner.clone(),
            epoch: self.head(*partition).map_or(0, |head| head.epoch),
            lives_ms: until.saturating_sub(now),
        };
        let lives = |(node, until): (&String, &u64)| (*until > now).then(|| node.clone());
        Fleet {
            nodes: self.nodes.iter().filter_map(lives).collect(),
            leases: self.leases.iter().map(lease).collect(),
        }
    }

    /// Whether a node's lease of a partition lives, on a clock that says so many milliseconds.
    pub(crate) fn holds(&self, node: &str, partition: Partition, ms: u64) -> bool {
        self.leases.get(&partition).is_some_and(|(owner, until)| owner == node && *until > ms)
    }

    pub(crate) fn release(&mut self, node: &str, partition: Partition) {
        if self.leases.get(&partition).is_some_and(|(owner, _)| owner == node) {
            self.leases.remove(&partition);
        }
    }

    pub(crate) fn leave(&mut self, node: &str) {
        self.nodes.remove(node);
        self.leases.retain(|_, (owner, _)| owner != node);
    }

    /// Writes a batch if its fence stands.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let part = &mut self.parts[batch.partition.0 as usize];
        let is_off = |mutant| is_on(mutant) || is_on(Mutant::NoFence) || is_on(Mutant::LeaseByLocalClock);
        let stands = |head: &Head| {
            (head.epoch == batch.epoch || is_off(Mutant::NoEpoch))
                && (head.next == batch.from || is_off(Mutant::NoOffset))
        };
        let is_there = batch.records.iter().any(|row| part.records.contains_key(&row.offset))
            || batch.entries.iter().any(|row| part.entries.contains_key(&(row.offset, row.line)));
        let is_there = is_there && !is_off(Mutant::NoFence);
        if !part.head.as_ref().is_some_and(stands) || is_there {
            return Err(StoreError::Fenced { partition: batch.partition, from: batch.from });
        }
        let batch = batch.clone();
        part.head = Some(batch.head);
        part.entries.extend(batch.entries.into_iter().map(|row| ((row.offset, row.line), row)));
        part.records.extend(batch.records.into_iter().map(|row| (row.offset, row)));
        part.ids.extend(batch.ids);
        part.wallets.extend(batch.wallets.into_iter().map(|row| (row.no, row)));
        part.lots.extend(batch.lots.into_iter().map(|row| ((row.wallet, row.lot.clone()), row)));
        let grants = batch.grants.into_iter().map(|row| ((row.wallet, row.offset, row.grant.clone()), row));
        part.grants.extend(grants);
        part.left.extend(batch.left.into_iter().map(|row| ((row.wallet, row.kind, row.key.clone()), row)));
        let key = |row: &CounterRow| (row.wallet, row.price.clone(), row.charge.clone(), row.period);
        part.counters.extend(batch.counters.into_iter().map(|row| (key(&row), row)));
        part.quarantined.extend(batch.quarantined);
        part.filters.extend(batch.filters.into_iter().map(|row| (row.segment, row)));
        part.catalogue = batch.catalogue.or(part.catalogue.take());
        Ok(())
    }
}
