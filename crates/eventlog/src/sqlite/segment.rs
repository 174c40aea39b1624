//! How several records lie in one row.

use crate::Stretch;

/// A row is full with so many records …
const RECORDS: usize = 256;
/// … or with so many bytes of them, so that a reader who wants a few does not load many megabytes.
const BYTES: usize = 256 << 10;

/// The records of one row: on disk the length of each (u32, little endian), then their bytes.
#[derive(Debug, Default)]
pub(super) struct Segment {
    lengths: Vec<u8>,
    bytes: Vec<u8>,
}

impl Segment {
    pub(super) fn push(&mut self, record: &[u8]) {
        let length = u32::try_from(record.len()).expect("a record is at most 1 MiB");
        self.lengths.extend(length.to_le_bytes());
        self.bytes.extend_from_slice(record);
    }

    pub(super) fn len(&self) -> usize {
        self.lengths.len() / size_of::<u32>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= RECORDS || self.bytes.len() >= BYTES
    }

    pub(super) fn encode(mut self) -> Vec<u8> {
        self.lengths.append(&mut self.bytes);
        self.lengths
    }
}

/// The stored form of one record alone.
pub(super) fn single(record: &[u8]) -> Vec<u8> {
    let mut segment = Segment::default();
    segment.push(record);
    segment.encode()
}

/// Adds the records of a row to `stretch`, leaving out the first `skip`; `None` if it does not hold `count` records.
pub(super) fn decode(stored: &[u8], count: usize, skip: usize, stretch: &mut Stretch) -> Option<()> {
    let (lengths, bytes) = stored.split_at_checked(count.checked_mul(size_of::<u32>())?)?;
    let length = |at: &[u8]| u32::from_le_bytes(at.try_into().expect("four bytes")) as usize;
    let lengths = || lengths.chunks_exact(size_of::<u32>()).map(length);

    let skipped: usize = lengths().take(skip).sum();
    let kept: usize = lengths().skip(skip).sum();
    if skipped + kept != bytes.len() {
        return None;
    }
    stretch.extend(&bytes[skipped..], lengths().skip(skip));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Offset;

    fn stored(records: &[&[u8]]) -> Vec<u8> {
        let mut segment = Segment::default();
        for record in records {
            segment.push(record);
        }
        segment.encode()
    }

    #[test]
    fn the_stored_form_is_lengths_then_bytes() {
        assert_eq!(stored(&[b"ab", b"", b"c"]), b"\x02\0\0\0\0\0\0\0\x01\0\0\0abc");
        assert_eq!(single(b"ab"), b"\x02\0\0\0ab");
    }

    #[test]
    fn a_row_is_read_from_any_of_its_records() {
        let row = stored(&[b"ab", b"", b"c"]);
        for (skip, expected) in [(0, &[&b"ab"[..], b"", b"c"][..]), (1, &[b"", b"c"]), (2, &[b"c"]), (3, &[])]
        {
            let mut stretch = Stretch::new(Offset(0));
            decode(&row, 3, skip, &mut stretch).expect("the row is whole");
            assert!(stretch.iter().map(|(_, record)| record).eq(expected.iter().copied()), "skip {skip}");
        }
    }

    #[test]
    fn a_row_that_is_not_whole_is_refused() {
        let row = stored(&[b"ab", b"", b"c"]);
        let mut longer = row.clone();
        longer.push(0);
        let mut huge = row.clone();
        huge[3] = 0xff;
        for (bytes, count) in [
            (&row[..], 2),
            (&row, 4),
            (&row, usize::MAX),
            (&row[..11], 3),
            (&row[..14], 3),
            (&longer, 3),
            (&huge, 3),
        ] {
            let mut stretch = Stretch::new(Offset(0));
            assert_eq!(decode(bytes, count, 0, &mut stretch), None, "{bytes:?} as {count}");
            assert!(stretch.is_empty());
        }
    }

    #[test]
    fn a_row_is_full_by_count_or_by_size() {
        let mut many = Segment::default();
        let mut large = Segment::default();
        for _ in 0..RECORDS - 1 {
            many.push(b"");
        }
        large.push(&vec![0; BYTES - 1]);
        assert!(!many.is_full() && !large.is_full());
        many.push(b"");
        large.push(b"0");
        assert!(many.is_full() && large.is_full());
    }
}
