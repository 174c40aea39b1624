use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::{Offset, Partition, Position};

use crate::appended::Appended;
use crate::{Appending, EventLog, LogError, Stretch, check, check_partition};

/// A log that lives as long as the process, for tests and trials. It begins empty, without a genesis.
#[derive(Debug)]
pub struct MemoryLog {
    partitions: u32,
    /// The records of each partition; one lock, because one append may go to several.
    records: Mutex<Vec<Vec<Vec<u8>>>>,
    appended: Appended,
}

impl MemoryLog {
    /// An empty log of so many partitions.
    pub fn new(partitions: u32) -> Self {
        let records = Mutex::new((0..partitions).map(|_| Vec::new()).collect());
        Self { partitions, records, appended: Appended::default() }
    }

    fn records(&self) -> MutexGuard<'_, Vec<Vec<Vec<u8>>>> {
        // Nothing that holds the lock can stop half-way, so what a panic left behind is whole.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventLog for MemoryLog {
    fn partitions(&self) -> u32 {
        self.partitions
    }

    async fn append(&self, records: Vec<Appending>) -> Result<Vec<Position>, LogError> {
        check(&records, self.partitions)?;
        let mut all = self.records();
        let positions = records.into_iter().map(|Appending { partition, bytes }| {
            let records = &mut all[partition.0 as usize];
            records.push(bytes);
            Position { partition, offset: Offset(0).plus(records.len() - 1) }
        });
        let positions = positions.collect();
        self.appended.tell();
        Ok(positions)
    }

    async fn read(&self, partition: Partition, from: Offset, limit: usize) -> Result<Stretch, LogError> {
        check_partition(partition, self.partitions)?;
        let all = self.records();
        let records = &all[partition.0 as usize];
        let rest = usize::try_from(from.0).ok().and_then(|from| records.get(from..));
        let Some(rest) = rest else {
            return Err(LogError::BeyondEnd { partition, from, end: Offset(0).plus(records.len()) });
        };
        let mut stretch = Stretch::new(from);
        for record in rest {
            if stretch.is_enough(limit) {
                break;
            }
            stretch.push(record);
        }
        Ok(stretch)
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        check_partition(partition, self.partitions)?;
        Ok(Offset(0).plus(self.records()[partition.0 as usize].len()))
    }

    async fn wait(&self, partition: Partition, from: Offset) {
        // An unknown partition fails the read that follows.
        let is_there = async { self.end(partition).await.map_or(true, |end| end > from) };
        self.appended.wait(is_there).await;
    }
}
