//! The append-only log: the only truth, of which everything else is a projection.
//!
//! A log has a fixed number of partitions. A partition is a sequence of records, raw bytes of at most [`MAX_RECORD`],
//! counted from offset 0 without holes and kept for ever. What is in a record, the genesis at offset 0 included, is
//! the business of whoever appends and reads.
//!
//! [`EventLog`] says what a log promises, and one suite (`tests/contract.rs`) holds every implementation to it:
//! [`MemoryLog`] for tests and trials, [`SqliteLog`] for a product that runs without a broker, [`KafkaLog`] for one
//! that runs on several machines; [`Log`] is whichever of these a program was told. [`Importing`] makes a new SQLite
//! log of records that come from another one. [`TopicReader`], [`TopicWriter`] and [`GaplessWriter`] are for topics that are
//! no logs: those of products and of whoever reads what became of their events.

mod appended;
mod error;
mod kafka;
mod log;
mod memory;
mod sqlite;
mod stretch;
mod tail;

use std::future::Future;
use std::time::Duration;

use ledger::{Offset, Partition, Position};

pub use error::LogError;
pub use kafka::{
    GaplessWriter, KafkaConfig, KafkaLog, Received, TopicBatch, TopicEnds, TopicMessage, TopicReader,
    TopicReading, TopicWriter, Until,
};
pub use log::Log;
pub use memory::MemoryLog;
pub use sqlite::{Durability, Importing, SqliteLog};
pub use stretch::Stretch;

/// The most bytes one record may have.
pub const MAX_RECORD: usize = 1 << 20;

/// After how long a wait ends that nothing came of.
const POLL: Duration = Duration::from_millis(50);

/// A record on its way into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appending {
    /// The partition it goes to, at its end.
    pub partition: Partition,
    /// The record, at most [`MAX_RECORD`] bytes.
    pub bytes: Vec<u8>,
}

/// An append-only log of a fixed number of partitions.
///
/// Any number of tasks, and where the log lies in a file of processes, may append and read at the same time.
pub trait EventLog: Send + Sync + 'static {
    /// How many partitions the log has; they are numbered from 0.
    fn partitions(&self) -> u32;

    /// Appends the records, and answers where each of them is, in the order given.
    ///
    /// They are durable when this returns, to the degree the log was opened with. Records of one partition keep
    /// their order. To stop waiting does not take back: records may be appended although the future was dropped.
    ///
    /// [`MemoryLog`] and [`SqliteLog`] append all or none, and nothing of others comes between them. [`KafkaLog`]
    /// promises neither: others' records may stand between, and where the answer is [`LogError::Unknown`], some may be
    /// in the log and others not. So whoever must know sends each again under its own id.
    ///
    /// # Errors
    ///
    /// [`LogError::Unknown`] says that it is not known whether they were appended, every other error that nothing was.
    fn append(&self, records: Vec<Appending>)
    -> impl Future<Output = Result<Vec<Position>, LogError>> + Send;

    /// Reads the records from `from` on, at most `limit` of them, and fewer if they are many megabytes.
    ///
    /// What is read is empty only if `from` is the end of the partition, or `limit` is 0.
    ///
    /// # Errors
    ///
    /// [`LogError::UnknownPartition`]; [`LogError::BeyondEnd`] if `from` is after the end; [`LogError::Hole`] and
    /// [`LogError::Corrupt`] if the log was damaged there. Of a Kafka log also [`LogError::OtherCluster`],
    /// [`LogError::Replaced`], [`LogError::Partitions`] and [`LogError::CutOff`], after which it has to be opened
    /// anew, [`LogError::NoTopic`], and [`LogError::Broker`] and [`LogError::Silent`], after which to read again may
    /// help.
    fn read(
        &self,
        partition: Partition,
        from: Offset,
        limit: usize,
    ) -> impl Future<Output = Result<Stretch, LogError>> + Send;

    /// The offset that the partition's next record will have.
    ///
    /// # Errors
    ///
    /// [`LogError::UnknownPartition`], or the log cannot be read.
    fn end(&self, partition: Partition) -> impl Future<Output = Result<Offset, LogError>> + Send;

    /// Waits until something may stand at `from`, and for some tens of milliseconds at the most: a follower that
    /// reads after each wait needs no sleep.
    ///
    /// What keeps the log from being read ends the wait too: the read that follows says what it is.
    fn wait(&self, partition: Partition, from: Offset) -> impl Future<Output = ()> + Send;
}

/// Refuses records that no log of so many partitions takes.
fn check(records: &[Appending], partitions: u32) -> Result<(), LogError> {
    for record in records {
        check_partition(record.partition, partitions)?;
        check_size(&record.bytes)?;
    }
    Ok(())
}

fn check_partition(partition: Partition, partitions: u32) -> Result<(), LogError> {
    if partition.0 < partitions { Ok(()) } else { Err(LogError::UnknownPartition { partition, partitions }) }
}

fn check_size(record: &[u8]) -> Result<(), LogError> {
    let bytes = record.len();
    if bytes <= MAX_RECORD { Ok(()) } else { Err(LogError::TooLarge { bytes }) }
}
