//! Which slot a wallet is in, by its id.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use crate::folding::Slot;

/// A key that is a hash already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("a hash is a number")
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Wallets by a hash of their id. The ids are in the slots alone, so that many look-ups can be made in two steps, each for
/// all of them, whose waits for memory overlap.
#[derive(Default)]
pub(crate) struct Index {
    hasher: RandomState,
    slots: HashMap<u64, usize, BuildHasherDefault<Hashed>>,
    /// Ids whose hash another one had before them.
    clashing: HashMap<Box<str>, usize>,
}

impl Index {
    pub(crate) fn hash(&self, id: &str) -> u64 {
        self.hasher.hash_one(id)
    }

    /// The slot that has this id, if one does.
    pub(crate) fn find(&self, id: &str, slots: &[Slot]) -> Option<usize> {
        let at = self.first(self.hash(id))?;
        self.confirm(at, id, slots)
    }

    /// The slot that an id of this hash is in, if it is the first of this hash.
    pub(crate) fn first(&self, hash: u64) -> Option<usize> {
        self.slots.get(&hash).copied()
    }

    /// The slot of an id whose hash leads to `at`.
    pub(crate) fn confirm(&self, at: usize, id: &str, slots: &[Slot]) -> Option<usize> {
        if *slots[at].id == *id { Some(at) } else { self.clashing.get(id).copied() }
    }

    /// Notes where a new id is.
    pub(crate) fn insert(&mut self, id: &str, at: usize) {
        match self.slots.entry(self.hasher.hash_one(id)) {
            Entry::Vacant(free) => {
                free.insert(at);
            }
            Entry::Occupied(_) => {
                self.clashing.insert(id.into(), at);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.clashing.clear();
    }
}
