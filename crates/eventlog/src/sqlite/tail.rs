//! The newest records that this process appended, in memory: who follows the log's end need not ask the file for them.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger::{Offset, Partition};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::{POLL, Stretch};

/// How many bytes of each partition are kept.
const BYTES: usize = 4 << 20;
/// How long whoever waits relies on this process's own appends before the file is asked for those of others: each look costs a
/// trip to another thread.
const SOON: Duration = Duration::from_millis(2);

/// The newest records of each partition.
#[derive(Debug)]
pub(super) struct Tails(Vec<(Mutex<Tail>, Notify)>);

/// A run of records without a gap. What another process appended between two of this one's ends it.
#[derive(Debug, Default)]
struct Tail {
    first: Offset,
    records: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Tails {
    pub(super) fn new(partitions: u32) -> Self {
        Self((0..partitions).map(|_| Default::default()).collect())
    }

    fn of(&self, partition: Partition) -> MutexGuard<'_, Tail> {
        // Nothing that holds the lock can stop half-way.
        self.0[partition.0 as usize].0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in records that are durable, all at once: whoever reads meanwhile sees whole appends. Wakes those who wait for them.
    pub(super) fn push(&self, partition: Partition, first: Offset, records: Vec<Vec<u8>>) {
        let mut tail = self.of(partition);
        for (n, record) in records.into_iter().enumerate() {
            tail.push(first.plus(n), record);
        }
        drop(tail);
        self.0[partition.0 as usize].1.notify_waiters();
    }

    /// The records from an offset on; none if they are not all here, or there is none yet.
    pub(super) fn read(&self, partition: Partition, from: Offset, limit: usize) -> Option<Stretch> {
        let tail = self.of(partition);
        let skipped = usize::try_from(from.0.checked_sub(tail.first.0)?).ok()?;
        if skipped >= tail.records.len() || limit == 0 {
            return None;
        }
        let mut stretch = Stretch::new(from);
        for record in tail.records.range(skipped..) {
            if stretch.is_enough(limit) {
                break;
            }
            stretch.push(record);
        }
        Some(stretch)
    }

    fn has(&self, partition: Partition, from: Offset) -> bool {
        let tail = self.of(partition);
        !tail.records.is_empty() && from < tail.end()
    }

    /// Returns when there is a record at `from`, as far as this process knows or `is_there` finds; or soon.
    pub(super) async fn wait(
        &self,
        partition: Partition,
        from: Offset,
        is_there: impl Future<Output = bool>,
    ) {
        let Some((_, appended)) = self.0.get(partition.0 as usize) else { return };
        let mut told = pin!(appended.notified());
        // Whoever appends after this look wakes us.
        told.as_mut().enable();
        if self.has(partition, from) || timeout(SOON, told.as_mut()).await.is_ok() || is_there.await {
            return;
        }
        // Both ends of the wait mean the same: look again.
        let _ = timeout(POLL, told).await;
    }
}

impl Tail {
    fn end(&self) -> Offset {
        self.first.plus(self.records.len())
    }

    fn push(&mut self, offset: Offset, record: Vec<u8>) {
        if offset != self.end() {
            *self = Self { first: offset, ..Self::default() };
        }
        self.bytes += record.len();
        self.records.push_back(record);
        while self.bytes > BYTES
            && let Some(oldest) = self.records.pop_front()
        {
            self.bytes -= oldest.len();
            self.first = self.first.plus(1);
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
    fn a_tail_has_the_newest_records_without_a_gap() {
        let tails = Tails::new(1);
        assert_eq!(read(&tails, 0), None);
        for n in 5..8u8 {
            tails.push(Partition(0), Offset(n.into()), vec![vec![n]]);
        }
        assert_eq!((read(&tails, 4), read(&tails, 8)), (None, None));
        assert_eq!(read(&tails, 5), Some(vec![vec![5], vec![6], vec![7]]));
        assert_eq!(read(&tails, 7), Some(vec![vec![7]]));
        tails.push(Partition(0), Offset(9), vec![vec![9]]);
        assert_eq!((read(&tails, 7), read(&tails, 9)), (None, Some(vec![vec![9]])), "8 is another process's");
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
}
