//! Which identities a partition has borne: the newest exactly, older ones by a filter that says "surely new".

use std::collections::VecDeque;
use std::hint::black_box;

use ledger::{Hash16, Known};
use mutants::{Mutant, is_on};
use store::rows::{FilterRow, IdRow, next_segment};

use crate::ahead::Ahead;
use crate::exact::Exact;

/// How many identities make a segment.
const SEGMENT: usize = 1 << 15;
/// How many bits a segment's filter has: 32 for each identity.
const BITS: usize = 1 << 20;
/// How many of them an identity sets: one in 40,000 others is mistaken for it.
const PROBES: u64 = 6;

/// How many groups of filters are read abreast.
const ABREAST: usize = 8;

/// What is known of an identity without asking the store.
pub(crate) enum Seen {
    /// No record has borne it.
    Never,
    /// This one did.
    By(Known),
    /// Ask these segments of the store.
    Perhaps(Vec<u32>),
}

/// All identities of a partition.
pub(crate) struct Identities {
    /// The segment that grows.
    segment: u32,
    newest: Exact,
    /// The segments before it, the last one behind: those whose rows may still be on their way to the store, and one more.
    newer: VecDeque<Exact>,
    older: Filters,
}

impl Default for Identities {
    fn default() -> Self {
        Self { segment: 0, newest: Exact::of(SEGMENT), newer: VecDeque::new(), older: Filters::default() }
    }
}

impl Identities {
    /// Reads what a store holds: the filters of complete segments, and the rows of the one that grows.
    pub(crate) fn load(filters: &[FilterRow], growing: &[IdRow]) -> Self {
        let mut identities = Self { segment: next_segment(filters), ..Self::default() };
        for filter in filters {
            identities.older.add(filter.segment, &filter.bits);
        }
        identities.newest = Exact::of(SEGMENT.max(growing.len() + 1));
        for row in growing {
            identities.newest.insert(row.key, Known { offset: row.offset, content: row.content });
        }
        identities
    }

    pub(crate) fn look(&self, key: &Hash16) -> Seen {
        if let Some(known) = self.newest.get(key) {
            return Seen::By(*known);
        }
        let mut segments = self.older.perhaps(key);
        let first = self.first();
        for segment in segments.iter().filter(|segment| **segment >= first) {
            if let Some(known) = self.newer[(segment - first) as usize].get(key) {
                return Seen::By(*known);
            }
        }
        segments.retain(|segment| *segment < first);
        if segments.is_empty() { Seen::Never } else { Seen::Perhaps(segments) }
    }

    /// The oldest segment that is in memory.
    fn first(&self) -> u32 {
        self.segment - u32::try_from(self.newer.len()).expect("segments are counted in 32 bits")
    }

    /// The segment that grows: the ones before it are complete.
    pub(crate) fn growing(&self) -> u32 {
        self.segment
    }

    /// Hears that the store has every identity of the segments before this one. Until then, they are known here alone.
    pub(crate) fn stored_before(&mut self, segment: u32) {
        while self.newer.len() > 1 && self.first() < segment {
            self.newer.pop_front();
        }
    }

    /// Reads what looking for these identities will read, all in a row, so that the waits for memory overlap.
    pub(crate) fn warm(&self, chunk: &[Ahead<'_>]) {
        for key in chunk.iter().flat_map(Ahead::keys) {
            black_box(self.newest.first(&key));
            self.older.warm(&key);
        }
    }

    /// Takes an identity in that was never seen. Answers its segment, and that segment's filter if this completes it.
    pub(crate) fn insert(&mut self, key: Hash16, known: Known) -> (u32, Option<FilterRow>) {
        let segment = self.segment;
        self.newest.insert(key, known);
        if self.newest.len() < SEGMENT {
            return (segment, None);
        }
        let full = std::mem::replace(&mut self.newest, Exact::of(SEGMENT));
        let bits = filter(full.keys());
        self.older.add(segment, &bits);
        self.newer.push_back(full);
        if is_on(Mutant::IdsForgottenOnTheWay) {
            self.newer.clear();
        }
        self.segment += 1;
        (segment, Some(FilterRow { segment, bits }))
    }
}

fn filter<'a>(keys: impl Iterator<Item = &'a Hash16>) -> Vec<u8> {
    let mut bits = vec![0; BITS / 8];
    for position in keys.flat_map(positions) {
        bits[position / 8] |= 1 << (position % 8);
    }
    bits
}

/// The bits that an identity sets.
fn positions(key: &Hash16) -> impl Iterator<Item = usize> + use<> {
    let half = |at: usize| u64::from_le_bytes(key[at..at + 8].try_into().expect("eight bytes"));
    let (first, stride) = (half(0), half(8) | 1);
    (0..PROBES).map(move |i| (first.wrapping_add(i.wrapping_mul(stride)) >> 16) as usize % BITS)
}

/// The filters of complete segments, 64 beside each other: one word holds the same bit of all of them, so that a look-up
/// costs a few words however many segments there are.
#[derive(Default)]
struct Filters {
    groups: Vec<Vec<u64>>,
}

impl Filters {
    fn add(&mut self, segment: u32, bits: &[u8]) {
        let (group, lane) = (segment as usize / 64, segment % 64);
        while self.groups.len() <= group {
            self.groups.push(vec![0; BITS]);
        }
        for (bits, words) in bits.as_chunks::<8>().0.iter().zip(self.groups[group].as_chunks_mut::<64>().0) {
            let mut left = u64::from_le_bytes(*bits);
            while left != 0 {
                words[left.trailing_zeros() as usize] |= 1 << lane;
                left &= left - 1;
            }
        }
    }

    /// Reads what most look-ups need. Whether they need more depends on what is there, and would have to wait for it.
    fn warm(&self, key: &Hash16) {
        for words in &self.groups {
            black_box(positions(key).take(2).fold(0, |all, position| all ^ words[position]));
        }
    }

    /// Reads the same bit of several groups before the next one, so that their cache misses overlap.
    fn perhaps(&self, key: &Hash16) -> Vec<u32> {
        let mut segments = Vec::new();
        for (chunk, groups) in self.groups.chunks(ABREAST).enumerate() {
            let mut lanes = [u64::MAX; ABREAST];
            lanes[groups.len()..].fill(0);
            for position in positions(key) {
                let mut any = 0;
                for (lanes, words) in lanes.iter_mut().zip(groups) {
                    *lanes &= words[position];
                    any |= *lanes;
                }
                if any == 0 {
                    break;
                }
            }
            for (group, mut lanes) in lanes.into_iter().enumerate() {
                let base =
                    u32::try_from((chunk * ABREAST + group) * 64).expect("segments are counted in 32 bits");
                while lanes != 0 {
                    segments.push(base + lanes.trailing_zeros());
                    lanes &= lanes - 1;
                }
            }
        }
        segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Offset;

    fn key(n: u64) -> Hash16 {
        ledger::key("wallet", "source", &n.to_string())
    }

    #[test]
    fn ids_that_are_forgotten_on_the_way_are_missed() {
        let test = "seen::tests::an_identity_is_found_in_memory_or_in_its_segment_alone";
        mutants::must_be_caught(Mutant::IdsForgottenOnTheWay, test, &[], &["no store has them yet"]);
    }

    #[test]
    fn an_identity_is_found_in_memory_or_in_its_segment_alone() {
        let mut identities = Identities::default();
        let mut filters = Vec::new();
        let count = 3 * SEGMENT as u64 + 5;
        for n in 0..count {
            let (_, full) = identities.insert(key(n), Known { offset: Offset(n), content: [0; 16] });
            filters.extend(full);
        }
        let by_memory = (0..count)
            .filter(|n| matches!(identities.look(&key(*n)), Seen::By(known) if known.offset.0 == *n));
        assert_eq!(by_memory.count() as u64, count, "no store has them yet");
        identities.stored_before(3);
        assert_eq!(filters.iter().map(|f| f.segment).collect::<Vec<_>>(), [0, 1, 2]);
        for n in (0..count).step_by(97) {
            let segment = u32::try_from(n / SEGMENT as u64).expect("small");
            match identities.look(&key(n)) {
                Seen::By(known) => assert_eq!((known.offset.0, segment >= 2), (n, true)),
                Seen::Perhaps(segments) => assert!(segment < 2 && segments.contains(&segment)),
                Seen::Never => panic!("{n} was forgotten"),
            }
        }
        let mistaken =
            (count..2 * count).filter(|n| !matches!(identities.look(&key(*n)), Seen::Never)).count();
        assert!(mistaken < 50, "{mistaken} of {count} new ones would ask the store");

        let again = Identities::load(&filters, &[]);
        assert!(matches!(again.look(&key(0)), Seen::Perhaps(segments) if segments.contains(&0)));
    }
}
