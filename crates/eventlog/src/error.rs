use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ledger::{Offset, Partition};
use rdkafka::error::KafkaError;
use sqlx::migrate::MigrateError;

use crate::MAX_RECORD;

/// Why a log could not be made, opened, appended to or read.
///
/// It can be cloned, because callers whose records shared a commit share its failure.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// The log has no such partition; nothing was appended.
    #[error("there is no partition {partition}: the log has {partitions}, counted from 0")]
    UnknownPartition {
        /// The one asked for.
        partition: Partition,
        /// How many there are.
        partitions: u32,
    },
    /// A record is larger than [`MAX_RECORD`]; nothing was appended.
    #[error("a record of {bytes} bytes is too large: at most {MAX_RECORD} are taken")]
    TooLarge {
        /// The record's size.
        bytes: usize,
    },
    /// The disk is full. Nothing was appended, and what is in the log can still be read.
    #[error("the log's disk is full, nothing was appended: free some space and append again")]
    Full,
    /// Another process kept the log locked for too long; nothing was appended.
    #[error("another process keeps the log locked, nothing was appended: append again")]
    Busy,
    /// The log was closed; nothing was appended or read.
    #[error("the log is closed")]
    Closed,
    /// More is on its way to the broker than is let wait; nothing was appended.
    #[error("the broker takes less than is appended, nothing was appended: append again later")]
    Shed,
    /// The append failed in a way that leaves open whether the records are in the log, now or later: all of them, or
    /// on Kafka some.
    #[error("it is unknown whether the records were appended: read the log before appending them again")]
    Unknown(#[source] Arc<dyn Error + Send + Sync>),
    /// The partition goes on after `at`, but that record is missing.
    #[error("partition {partition} has a hole at offset {at}: restore the log from a copy")]
    Hole {
        /// The partition.
        partition: Partition,
        /// The first missing offset.
        at: Offset,
    },
    /// The stored records at `at` do not decode.
    #[error("partition {partition} is damaged at offset {at}: restore the log from a copy")]
    Corrupt {
        /// The partition.
        partition: Partition,
        /// The first offset that cannot be read.
        at: Offset,
    },
    /// The reader is ahead of the log, so it read another log before.
    #[error("partition {partition} ends at {end}, before {from}: it is not the log that was read before")]
    BeyondEnd {
        /// The partition.
        partition: Partition,
        /// The offset asked for.
        from: Offset,
        /// The offset of the partition's next record.
        end: Offset,
    },
    /// A new log cannot be made where something is.
    #[error("{path} is there already: choose another place, or move it away")]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// A new log needs at least one partition, and a record in each.
    #[error("partition {partition} would have no record: a log begins with one in each partition")]
    Empty {
        /// The first partition without one.
        partition: Partition,
    },
    /// The log was written by a newer build.
    #[error("the log's file was written by a newer build: use that one")]
    Newer,
    /// The log's address, or a property of the connection, cannot be used.
    #[error("the log's address or its properties cannot be used: {reason}")]
    Config {
        /// What is wrong, without what may be secret.
        reason: String,
    },
    /// There is no such topic; it is never made by reading or appending.
    #[error("there is no topic {topic}: make the log, or name its topic")]
    NoTopic {
        /// The topic asked for.
        topic: String,
    },
    /// The topic would forget records, or refuse some.
    #[error("topic {topic} has {setting}={value}, with which a log cannot be kept: set it to {needed}")]
    Setting {
        /// The topic.
        topic: String,
        /// Kafka's name of the setting.
        setting: String,
        /// What it is.
        value: String,
        /// What it has to be.
        needed: String,
    },
    /// The topic has another number of partitions than the log, which never changes.
    #[error("topic {topic} has {partitions} partitions instead of {expected}: a log's number never changes")]
    Partitions {
        /// The topic.
        topic: String,
        /// How many it has.
        partitions: u32,
        /// How many it should have.
        expected: u32,
    },
    /// A partition has no record at all: the making of the log broke off, or the partition was added.
    #[error(
        "partition {partition} is empty: make the log again to finish it; if partitions were added, copy the log"
    )]
    Unfinished {
        /// The first such partition.
        partition: Partition,
    },
    /// Another cluster answers at the log's address.
    #[error("the log is on cluster {cluster}, but {found} answers: correct the address")]
    OtherCluster {
        /// The cluster that the log was opened on.
        cluster: String,
        /// The one that answers.
        found: String,
    },
    /// Another record stands where one was read or written before: the log was deleted and made again.
    #[error("partition {partition} has another record at offset {at} than before: it is another log")]
    Replaced {
        /// The partition.
        partition: Partition,
        /// Where the records differ.
        at: Offset,
    },
    /// The first records of a partition are gone.
    #[error(
        "partition {partition} begins at offset {first}, what was before is gone: restore the log from a copy"
    )]
    CutOff {
        /// The partition.
        partition: Partition,
        /// The first offset that is left.
        first: Offset,
    },
    /// The broker does not answer.
    #[error("the broker did not answer for {} s: see whether it runs and can be reached", .waited.as_secs_f32())]
    Silent {
        /// For how long it was asked.
        waited: Duration,
    },
    /// No broker at the address lets us in, or none can be reached.
    #[error("the broker cannot be reached: {hint} ({reason})")]
    Unreachable {
        /// What the connection told.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// The broker failed or cannot be reached; nothing was appended.
    #[error("the broker failed or cannot be reached")]
    Broker(#[source] Arc<KafkaError>),
    /// A file beside the log could not be made, written or renamed.
    #[error("the log's file cannot be written")]
    File(#[source] Arc<io::Error>),
    /// The database failed; nothing was appended.
    #[error("the log's database failed")]
    Database(#[source] Arc<sqlx::Error>),
}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> Self {
        Self::File(Arc::new(error))
    }
}

impl From<sqlx::Error> for LogError {
    /// The meaning of a failure to open or to read. A failed commit means something else: `LogError::of_commit`.
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolClosed) {
            return Self::Closed;
        }
        match sqlite_code(&error) {
            Some(SQLITE_FULL) => Self::Full,
            Some(SQLITE_BUSY) => Self::Busy,
            _ => Self::Database(Arc::new(error)),
        }
    }
}

impl From<MigrateError> for LogError {
    fn from(error: MigrateError) -> Self {
        if matches!(error, MigrateError::VersionMissing(_)) {
            Self::Newer
        } else {
            sqlx::Error::from(error).into()
        }
    }
}

// SQLite's primary result codes, https://www.sqlite.org/rescode.html
const SQLITE_ERROR: i32 = 1;
const SQLITE_BUSY: i32 = 5;
const SQLITE_READONLY: i32 = 8;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_CANTOPEN: i32 = 14;
const SQLITE_CONSTRAINT: i32 = 19;
const SQLITE_NOTADB: i32 = 26;

impl LogError {
    /// Whether the log is damaged, another one, or a newer build's: to try again does not help.
    pub fn halts(&self) -> bool {
        match self {
            Self::Hole { .. }
            | Self::Corrupt { .. }
            | Self::BeyondEnd { .. }
            | Self::Newer
            | Self::Partitions { .. }
            | Self::OtherCluster { .. }
            | Self::Replaced { .. }
            | Self::NoTopic { .. }
            | Self::CutOff { .. } => true,
            Self::UnknownPartition { .. }
            | Self::TooLarge { .. }
            | Self::Full
            | Self::Busy
            | Self::Closed
            | Self::Unknown(_)
            | Self::Exists { .. }
            | Self::Empty { .. }
            | Self::Shed
            | Self::Config { .. }
            | Self::Setting { .. }
            | Self::Unfinished { .. }
            | Self::Silent { .. }
            | Self::Unreachable { .. }
            | Self::Broker(_)
            | Self::File(_)
            | Self::Database(_) => false,
        }
    }

    /// The fate of an append is not known.
    pub(crate) fn unknown(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Unknown(Arc::new(error))
    }

    /// What the failure of a transaction means that appends.
    ///
    /// SQLite writes the commit last of all, so a full disk means no commit. An I/O error does not: a commit that
    /// was written but not synced comes to life when the file is opened after a crash.
    pub(crate) fn of_commit(error: sqlx::Error) -> Self {
        match sqlite_code(&error) {
            Some(SQLITE_FULL) => Self::Full,
            Some(SQLITE_BUSY) => Self::Busy,
            Some(
                SQLITE_ERROR | SQLITE_READONLY | SQLITE_CORRUPT | SQLITE_CANTOPEN | SQLITE_CONSTRAINT
                | SQLITE_NOTADB,
            ) => Self::Database(Arc::new(error)),
            _ => Self::unknown(error),
        }
    }

    /// What the failure to read the records at `at` means.
    pub(crate) fn of_read(error: sqlx::Error, partition: Partition, at: Offset) -> Self {
        match sqlite_code(&error) {
            Some(SQLITE_CORRUPT | SQLITE_NOTADB) => Self::Corrupt { partition, at },
            _ => error.into(),
        }
    }
}

/// SQLite's primary result code of an error that the database answered.
fn sqlite_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}
