//! The beginning of a log, as if nothing more had come.

use std::sync::Arc;

use eventlog::{Appending, EventLog, LogError, Stretch};
use ledger::{Offset, Partition, Position};

/// A log as it was when its partitions ended at given offsets. It is only read.
pub(crate) struct UpTo<L> {
    log: Arc<L>,
    ends: Vec<Offset>,
}

impl<L> UpTo<L> {
    /// The log up to `ends`, one for each partition.
    pub(crate) fn new(log: Arc<L>, ends: Vec<Offset>) -> Self {
        Self { log, ends }
    }
}

impl<L: EventLog> EventLog for UpTo<L> {
    fn partitions(&self) -> u32 {
        self.log.partitions()
    }

    async fn append(&self, _: Vec<Appending>) -> Result<Vec<Position>, LogError> {
        Err(LogError::Closed)
    }

    async fn read(&self, partition: Partition, from: Offset, limit: usize) -> Result<Stretch, LogError> {
        let end = self.end(partition).await?;
        let left = end.0.checked_sub(from.0).ok_or(LogError::BeyondEnd { partition, from, end })?;
        self.log.read(partition, from, limit.min(usize::try_from(left).unwrap_or(limit))).await
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        let end = self.log.end(partition).await?;
        Ok(self.ends.get(partition.0 as usize).map_or(end, |upto| end.min(*upto)))
    }

    async fn wait(&self, partition: Partition, from: Offset) {
        self.log.wait(partition, from).await;
    }
}
