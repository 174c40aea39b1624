use ledger::Offset;

/// How many bytes a read collects before it stops short of its limit, so that large records do not fill the memory.
const PLENTY: usize = 32 << 20;

/// A contiguous run of one partition's records, raw bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The offset of the first record, or where it would be if there is none.
    pub first: Offset,
    bytes: Vec<u8>,
    /// Where each record ends in `bytes`.
    ends: Vec<usize>,
}

impl Stretch {
    /// A stretch without records that would begin at `first`.
    pub fn new(first: Offset) -> Self {
        Self { first, bytes: Vec::new(), ends: Vec::new() }
    }

    /// Adds a record at the end.
    pub fn push(&mut self, record: &[u8]) {
        self.extend(record, [record.len()]);
    }

    /// Adds records that lie end to end in `bytes` and have these `lengths`.
    pub(crate) fn extend(&mut self, bytes: &[u8], lengths: impl IntoIterator<Item = usize>) {
        let mut end = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.ends.extend(lengths.into_iter().map(|length| {
            end += length;
            end
        }));
        debug_assert_eq!(self.bytes.len(), end, "the lengths are those of the bytes");
    }

    /// How many records it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no records.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether a read that is to bring `limit` records can stop here.
    pub(crate) fn is_enough(&self, limit: usize) -> bool {
        self.len() >= limit || self.bytes.len() >= PLENTY
    }

    /// The offset after its last record: where to read on.
    pub fn next(&self) -> Offset {
        self.first.plus(self.len())
    }

    /// The record `index` places after the first.
    ///
    /// # Panics
    ///
    /// If there are no more than `index` records.
    pub fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    /// The records in order, each with its offset.
    pub fn iter(&self) -> impl Iterator<Item = (Offset, &[u8])> {
        (0..self.len()).map(|index| (self.first.plus(index), self.get(index)))
    }

    /// The records from `at` on; none if it does not have that one.
    pub(crate) fn from(&self, at: Offset) -> Option<Self> {
        let skipped = usize::try_from(at.0.checked_sub(self.first.0)?).ok()?;
        let mut rest = Self::new(at);
        for (_, record) in self.iter().skip(skipped) {
            rest.push(record);
        }
        (!rest.is_empty()).then_some(rest)
    }

    /// Keeps the first `len` records, or all if there are no more.
    pub fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.bytes.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_keep_their_offsets_and_bytes() {
        let mut stretch = Stretch::new(Offset(7));
        assert!(stretch.is_empty());
        assert_eq!(stretch.next(), Offset(7));

        stretch.push(b"a");
        stretch.extend(b"bbccc", [2, 0, 3]);
        assert_eq!(stretch.len(), 4);
        assert_eq!(stretch.next(), Offset(11));
        assert_eq!(stretch.get(1), b"bb");
        let all: Vec<(u64, &[u8])> = stretch.iter().map(|(offset, record)| (offset.0, record)).collect();
        assert_eq!(all, [(7, &b"a"[..]), (8, b"bb"), (9, b""), (10, b"ccc")]);

        let rest = stretch.from(Offset(9)).unwrap();
        assert_eq!((rest.first, rest.len(), rest.get(1)), (Offset(9), 2, &b"ccc"[..]));
        assert_eq!((stretch.from(Offset(6)), stretch.from(Offset(11))), (None, None));
    }

    #[test]
    fn truncating_leaves_what_was_never_there_out() {
        let mut stretch = Stretch::new(Offset(0));
        stretch.extend(b"abc", [1, 1, 1]);
        let mut shorter = Stretch::new(Offset(0));
        shorter.push(b"a");

        stretch.truncate(5);
        assert_eq!(stretch.len(), 3);
        stretch.truncate(1);
        assert_eq!(stretch, shorter);
        stretch.truncate(0);
        assert_eq!(stretch, Stretch::new(Offset(0)));
    }
}
