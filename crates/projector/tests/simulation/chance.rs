//! Chance, as a seed has it.

/// A generator (splitmix64): the same seed throws the same for ever, on every machine.
#[derive(Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..sides`.
    pub(crate) fn throw(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }

    /// One of `from..to`.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.throw(to - from)
    }

    /// Whether something happens that happens so many times in a thousand.
    pub(crate) fn is(&mut self, of_a_thousand: u64) -> bool {
        self.throw(1_000) < of_a_thousand
    }

    /// A place in a list, which must not be empty.
    pub(crate) fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.throw(len as u64)).expect("it is below a length")
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.place(last + 1));
        }
    }
}
