use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ledger::{Offset, Partition};
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
    /// The commit failed in a way that leaves open whether the records are in the log, now or after a restart.
    #[error("it is unknown whether the records were appended: read the log before appending them again")]
    Unknown(#[source] Arc<sqlx::Error>),
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
            _ => Self::Unknown(Arc::new(error)),
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
