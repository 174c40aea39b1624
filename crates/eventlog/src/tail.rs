//! The newest records that this process appended, in memory: who follows the log's end need not fetch them (design, section 4).

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::{Offset, Partition, Position};
use tokio::sync::Notify;

use crate::Stretch;

/// How many bytes of each partition are kept.
const BYTES: usize = 4 << 20;

/// The newest records of each partition.
#[derive(Debug)]
pub(crate) struct Tails(Vec<(Mutex<Tail>, Notify)>);

/// Records by offset. What others appended between this process's own is missing.
#[derive(Debug, Default)]
struct Tail {
    records: BTreeMap<Offset, Vec<u8>>,
    bytes: usize,
}

impl Tails {
    pub(crate) fn new(partitions: u32) -> Self {
        Self((0..partitions).map(|_| Default::default()).collect())
    }

    fn of(&self, partition: Partition) -> MutexGuard<'_, Tail> {
        // Nothing that holds the lock can stop half-way.
        self.0[partition.0 as usize].0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in records that are durable, all at once: whoever reads meanwhile sees whole appends. Wakes those who wait for them.
    pub(crate) fn push(&self, partition: Partition, first: Offset, records: Vec<Vec<u8>>) {
        let mut tail = self.of(partition);
        for (n, record) in records.into_iter().enumerate() {
            tail.push(first.plus(n), record);
        }
        drop(tail);
        self.0[partition.0 as usize].1.notify_waiters();
    }

    /// Takes in records that are durable, in any order, as [`push`](Self::push) does.
    pub(crate) fn take_in(&self, mut records: Vec<(Position, Vec<u8>)>) {
        records.sort_unstable_by_key(|(at, _)| *at);
        let mut records = records.into_iter().peekable();
        while let Some((first, record)) = records.next() {
            let mut tail = self.of(first.partition);
            tail.push(first.offset, record);
            while let Some((at, record)) = records.next_if(|(at, _)| at.partition == first.partition) {
                tail.push(at.offset, record);
            }
            drop(tail);
            self.0[first.partition.0 as usize].1.notify_waiters();
        }
    }

    /// The records from an offset on, as far as they are here without a gap; none if that one is not.
    pub(crate) fn read(&self, partition: Partition, from: Offset, limit: usize) -> Option<Stretch> {
        let tail = self.of(partition);
        let mut stretch = Stretch::new(from);
        for (offset, record) in tail.records.range(from..) {
            if *offset != stretch.next() || stretch.is_enough(limit) {
                break;
            }
            stretch.push(record);
        }
        (!stretch.is_empty()).then_some(stretch)
    }

    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        for partition in (0..).map(Partition).take(self.0.len()) {
            *self.of(partition) = Tail::default();
        }
    }

    /// Returns when the record at `from` is here, or one behind it: then it is in the log; never, where the log has no such partition.
    pub(crate) async fn wait(&self, partition: Partition, from: Offset) {
        let Some((_, appended)) = self.0.get(partition.0 as usize) else {
            return std::future::pending().await;
        };
        loop {
            let mut told = pin!(appended.notified());
            // Whoever appends after this look wakes us.
            told.as_mut().enable();
            if self.of(partition).records.last_key_value().is_some_and(|(last, _)| *last >= from) {
                return;
            }
            told.await;
        }
    }
}

impl Tail {
    fn push(&mut self, offset: Offset, record: Vec<u8>) {
        self.bytes += record.len();
        let before = self.records.insert(offset, record);
        self.bytes -= before.map_or(0, |before| before.len());
        while self.bytes > BYTES
            && let Some((_, oldest)) = self.records.pop_first()
        {
            self.bytes -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tails: &Tails, from: u64) -> Option<Vec<Vec<u8>>> {
        let stretch = tails.read(Partition(0), Offset(from), 10)?;
        assert_eq!(stretch.first, Offset(from));
        Some(stretch.iter().map(|(_, record)| record.to_vec()).collect())
    }

    #[test]
    fn what_is_read_of_a_tail_has_no_gap() {
        let tails = Tails::new(1);
        assert_eq!(read(&tails, 0), None);
        for n in 5..8u8 {
            tails.push(Partition(0), Offset(n.into()), vec![vec![n]]);
        }
        assert_eq!((read(&tails, 4), read(&tails, 8)), (None, None));
        assert_eq!(read(&tails, 5), Some(vec![vec![5], vec![6], vec![7]]));
        assert_eq!(read(&tails, 7), Some(vec![vec![7]]));
        tails.push(Partition(0), Offset(9), vec![vec![9]]);
        assert_eq!(read(&tails, 6), Some(vec![vec![6], vec![7]]), "8 is another process's");
        assert_eq!((read(&tails, 8), read(&tails, 9)), (None, Some(vec![vec![9]])));
        tails.push(Partition(0), Offset(8), vec![vec![8]]);
        assert_eq!(read(&tails, 7), Some(vec![vec![7], vec![8], vec![9]]), "or was told of later");
    }

    #[test]
    fn records_of_several_partitions_come_in_any_order() {
        let tails = Tails::new(2);
        let at = |partition, offset| Position { partition: Partition(partition), offset: Offset(offset) };
        tails.take_in(vec![(at(0, 6), vec![6]), (at(1, 3), vec![3]), (at(0, 5), vec![5])]);
        assert_eq!(read(&tails, 5), Some(vec![vec![5], vec![6]]));
        assert_eq!(tails.read(Partition(1), Offset(3), 10).unwrap().len(), 1);
    }

    #[test]
    fn a_tail_is_bounded() {
        let tails = Tails::new(1);
        for n in 0..10 {
            tails.push(Partition(0), Offset(n), vec![vec![0; BYTES / 3]]);
        }
        assert_eq!(read(&tails, 6), None);
        assert_eq!(read(&tails, 7).unwrap().len(), 3);
    }

    #[tokio::test]
    async fn who_waits_is_woken_when_the_record_is_there_or_must_be() {
        let tails = Tails::new(1);
        for (appended, is_there) in [(0, false), (1, true), (2, true)] {
            let mut waits = pin!(tails.wait(Partition(0), Offset(1)));
            assert!(at_once(&mut waits).await.is_none());
            tails.push(Partition(0), Offset(appended), vec![vec![1]]);
            assert_eq!(at_once(&mut waits).await.is_some(), is_there, "{appended}");
            tails.clear();
            assert_eq!(read(&tails, appended), None);
        }
    }

    /// What a future comes to without waiting.
    async fn at_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
