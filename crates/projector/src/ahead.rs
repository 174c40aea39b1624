//! Records read ahead of the fold, some hundred together.

use std::hint::black_box;

use ledger::{Hash16, Identity, Record, Undecodable};

use crate::folding::Folding;

/// Records that are read and looked up together.
pub(crate) const CHUNK: usize = 128;

/// A record read, with who it is: or why it cannot be read.
pub(crate) type Read<'a> = Result<(Record<'a>, Identity), Undecodable>;

/// A record that the fold comes to next.
pub(crate) struct Ahead<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) read: Read<'a>,
    /// Where its wallet is, if it was in memory when it was looked up.
    pub(crate) slot: Option<usize>,
}

impl<'a> Ahead<'a> {
    /// Reads a record and who it is.
    pub(crate) fn read(bytes: &'a [u8], scratch: &mut Vec<u8>) -> Self {
        let read = ledger::decode(bytes).and_then(|record| {
            let identity = record.identify(scratch).map_err(|e| Undecodable::Quarantine(e.to_string()))?;
            Ok((record, identity))
        });
        Self { bytes, read, slot: None }
    }

    /// The record, if it could be read.
    pub(crate) fn record(&self) -> Option<&Record<'a>> {
        self.read.as_ref().ok().map(|(record, _)| record)
    }

    /// What its identities are kept by.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Hash16> {
        self.read.as_ref().ok().into_iter().flat_map(|(record, identity)| {
            let names = identity.names.iter().map(|(key, _)| *key);
            std::iter::once(identity.key).chain(names).chain(record.corrects())
        })
    }
}

impl Folding {
    /// Finds the wallets of a chunk, and reads what the fold will read of them. One step at a time for all of them, the waits for
    /// memory overlap; in the fold each would come after the other.
    pub(crate) fn look_up(&self, chunk: &mut [Ahead<'_>]) {
        let hash = |one: &Ahead<'_>| one.record().map(|record| self.index.hash(record.wallet()));
        let hashes: Vec<Option<u64>> = chunk.iter().map(hash).collect();
        let firsts: Vec<Option<usize>> = hashes.into_iter().map(|hash| self.index.first(hash?)).collect();
        for at in firsts.iter().flatten() {
            black_box(self.slots[*at].id.len());
            self.slots[*at].wallet.warm(0);
        }
        for at in firsts.iter().flatten() {
            black_box(self.slots[*at].id.as_bytes().first());
            self.slots[*at].wallet.warm(1);
        }
        for (one, first) in chunk.iter_mut().zip(firsts) {
            let confirm = |at| self.index.confirm(at, one.record()?.wallet(), &self.slots);
            one.slot = first.and_then(confirm);
        }
        for at in chunk.iter().filter_map(|one| one.slot) {
            self.slots[at].wallet.warm(2);
        }
    }
}
