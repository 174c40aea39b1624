//! A partition folded in memory alone, without a store.

use eventlog::Stretch;
use ledger::{Partition, Wallet};
use store::rows::Batch;

use crate::folding::{Answers, Folded, Folding, Read, Told, read};
use crate::pasts::{Pasts, Remembers};
use crate::projector::empty_batch;
use crate::rows;
use crate::seen::Identities;
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
        folding.identities = Identities::in_memory();
        Self { folding, scratch: Vec::new() }
    }

    /// Remembers the past of every wallet, for histories with corrections.
    #[must_use]
    pub fn remembering(mut self) -> Self {
        self.folding.pasts = Pasts::of(Remembers::All);
        self
    }

    /// Folds the next record. Answers how many entries it made.
    ///
    /// # Errors
    ///
    /// If it needs a newer build.
    pub fn fold(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let read = read(bytes, &mut self.scratch);
        let mut entries = 0;
        let answers = self.answers(&read);
        let sink = &mut |did: Folded<'_>| entries += did.changes.entries.len();
        self.folding.fold(bytes, &read, &Told::default(), answers, sink)?;
        Ok(entries)
    }

    /// Folds a stretch, links it into the chain, and answers with the rows that a projector would commit for it.
    ///
    /// # Errors
    ///
    /// If a record needs a newer build.
    pub fn batch(&mut self, stretch: &Stretch) -> Result<Batch, String> {
        let mut batch = empty_batch(&self.folding.head);
        for (_, bytes) in stretch.iter() {
            let read = read(bytes, &mut self.scratch);
            let answers = self.answers(&read);
            let sink = &mut |did: Folded<'_>| rows::add(&mut batch, did);
            self.folding.fold(bytes, &read, &Told::default(), answers, sink)?;
            self.folding.link(bytes);
            self.folding.seal(bytes);
        }
        rows::finish(&mut batch, &mut self.folding);
        Ok(batch)
    }

    fn answers(&self, read: &Read<'_>) -> Answers {
        read.as_ref().map(|(record, _)| self.folding.answers(record)).unwrap_or_default()
    }

    /// A wallet, if a record named it.
    pub fn wallet(&self, id: &str) -> Option<&Wallet> {
        self.folding.wallet(id).map(|slot| &slot.wallet)
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
