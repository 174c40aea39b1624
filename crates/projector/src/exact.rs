//! Identities by their key, exactly.

use std::hash::{BuildHasher, RandomState};

use ledger::{Hash16, Known};

/// A table of identities. They lie in the order in which they came, so that one more is written beside the last, and only the
/// small table of their places is written all over: it stays in the cache.
pub(crate) struct Exact {
    /// For each place of the table one more than the index in `known`; 0 is free. A place is sought from where the key says on.
    places: Vec<u32>,
    known: Vec<(Hash16, Known)>,
    /// Keys come from senders: where one of them leads is not theirs to know.
    odd: u64,
}

impl Exact {
    /// A table that will have so many.
    pub(crate) fn of(most: usize) -> Self {
        let places = vec![0; (2 * most).next_power_of_two().max(2)];
        Self { places, known: Vec::with_capacity(most), odd: RandomState::new().hash_one(most) | 1 }
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Hash16> {
        self.known.iter().map(|(key, _)| key)
    }

    /// What is kept at the place where a key is sought first: read ahead of time, it will be in the cache.
    pub(crate) fn first(&self, key: &Hash16) -> u32 {
        self.places[self.place(key)]
    }

    pub(crate) fn get(&self, key: &Hash16) -> Option<&Known> {
        let mut place = self.place(key);
        while let Some(index) = self.places[place].checked_sub(1) {
            let (other, known) = &self.known[index as usize];
            if other == key {
                return Some(known);
            }
            place = (place + 1) % self.places.len();
        }
        None
    }

    /// Takes an identity in, or what is known of it now.
    pub(crate) fn insert(&mut self, key: Hash16, known: Known) {
        assert!(self.known.len() < self.places.len() / 2, "a table is made for all that it will have");
        let mut place = self.place(&key);
        while let Some(index) = self.places[place].checked_sub(1) {
            let (other, there) = &mut self.known[index as usize];
            if *other == key {
                *there = known;
                return;
            }
            place = (place + 1) % self.places.len();
        }
        self.known.push((key, known));
        self.places[place] = u32::try_from(self.known.len()).expect("a segment is small");
    }

    fn place(&self, key: &Hash16) -> usize {
        let head = u64::from_le_bytes(*key.first_chunk().expect("eight of sixteen bytes"));
        let mixed = head.wrapping_mul(self.odd) >> (64 - self.places.len().trailing_zeros());
        usize::try_from(mixed).expect("below the number of places")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Offset;

    #[test]
    fn what_was_taken_in_is_found_and_nothing_else() {
        let key = |n: u64| ledger::key("wallet", "source", &n.to_string());
        let known = |n: u64| Known { offset: Offset(n), content: [0; 16] };
        let mut exact = Exact::of(1000);
        for n in 0..999 {
            exact.insert(key(n), known(n));
        }
        exact.insert(key(7), known(1007));
        assert_eq!(exact.len(), 999);
        for n in 0..999 {
            assert_eq!(exact.get(&key(n)), Some(&known(if n == 7 { 1007 } else { n })));
        }
        assert!((999..2000).all(|n| exact.get(&key(n)).is_none()));
        assert!(Exact::of(0).get(&key(0)).is_none());
        assert!(exact.keys().eq((0..999).map(key).collect::<Vec<_>>().iter()));
    }
}
