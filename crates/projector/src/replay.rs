//! A partition folded in memory alone, without a store.

use std::collections::BTreeSet;

use eventlog::Stretch;
use ledger::{Partition, Wallet};
use store::rows::Batch;

use crate::ahead::{Ahead, CHUNK};
use crate::commit::empty_batch;
use crate::folding::{Answers, Folded, Folding, Told};
use crate::pasts::{Pasts, Remembers};
use crate::rows;
use crate::sum::Sum;

/// A partition that is folded in memory from its first record: for benchmarks, and for histories that are not stored.
pub struct Replay {
    folding: Folding,
    scratch: Vec<u8>,
}

impl Replay {
    /// Before the first record.
    pub fn new(partition: Partition, partitions: u32, log: &str) -> Self {
        let mut folding = Folding::new(partition, partitions, Folding::start(partition, log));
        // Of no wallet but for its counters: they are what usage itself may ask for.
        folding.pasts = Pasts::of(Remembers::These(BTreeSet::new()));
        Self { folding, scratch: Vec::new() }
    }

    /// Remembers the past of every wallet, for histories with corrections.
    #[must_use]
    pub fn remembering(mut self) -> Self {
        self.folding.pasts = Pasts::of(Remembers::All);
        self
    }

    /// Folds the next records. Answers how many entries they made.
    ///
    /// # Errors
    ///
    /// If one needs a newer build.
    pub fn fold<B: AsRef<[u8]>>(&mut self, records: &[B]) -> Result<usize, String> {
        let mut entries = 0;
        for records in records.chunks(CHUNK) {
            let chunk = self.read(records.iter().map(AsRef::as_ref));
            for ahead in &chunk {
                let answers = self.answers(ahead);
                let mut count = |did: Folded<'_>| entries += did.changes.entries.len();
                self.folding.fold(ahead, &Told::default(), answers, &mut count)?;
            }
        }
        Ok(entries)
    }

    /// Folds a stretch, links it into the chain, and answers with the rows that a projector would commit for it.
    ///
    /// # Errors
    ///
    /// If a record needs a newer build.
    pub fn batch(&mut self, stretch: &Stretch) -> Result<Batch, String> {
        let mut batch = empty_batch(&self.folding.head, stretch.len());
        for start in (0..stretch.len()).step_by(CHUNK) {
            let end = stretch.len().min(start + CHUNK);
            let chunk = self.read((start..end).map(|at| stretch.get(at)));
            for ahead in &chunk {
                let answers = self.answers(ahead);
                let sink = &mut |did: Folded<'_>| rows::add(&mut batch, did);
                self.folding.fold(ahead, &Told::default(), answers, sink)?;
                self.folding.link(ahead.bytes);
            }
        }
        if let Some(last) = stretch.len().checked_sub(1) {
            self.folding.seal(stretch.get(last));
        }
        rows::finish(&mut batch, &mut self.folding);
        Ok(batch)
    }

    fn answers(&self, ahead: &Ahead<'_>) -> Answers {
        ahead.record().map(|record| self.folding.answers(record)).unwrap_or_default()
    }

    fn read<'a>(&mut self, records: impl Iterator<Item = &'a [u8]>) -> Vec<Ahead<'a>> {
        let mut chunk: Vec<Ahead<'a>> = records.map(|bytes| Ahead::read(bytes, &mut self.scratch)).collect();
        self.folding.look_up(&mut chunk);
        self.folding.identities.warm(&chunk);
        chunk
    }

    /// A wallet, if a record named it.
    pub fn wallet(&self, id: &str) -> Option<&Wallet> {
        self.folding.place(id).map(|at| &self.folding.slots[at].wallet)
    }

    /// The sum of the digests of all wallets modulo 2^256.
    pub fn digest(&self) -> [u8; 32] {
        let mut sum = Sum::default();
        self.folding.slots.iter().for_each(|slot| sum.add(Wallet::digest(&slot.wallet.write())));
        sum.to_bytes()
    }

    /// How many wallets there are.
    pub fn wallets(&self) -> usize {
        self.folding.slots.len()
    }
}
