//! What can go wrong in a store, and what to do about it.

use ledger::{Offset, Partition};
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::SqliteError;

/// Why a store did not do what was asked; nothing was changed then, but for [`Self::Unknown`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another projector holds the partition. Stop and forget what is in memory: the partition is that
    /// projector's.
    #[error("partition {partition} is no longer at offset {from}: another projector has it")]
    Fenced {
        /// The partition.
        partition: Partition,
        /// Where the refused batch began.
        from: Offset,
    },
    /// The projection belongs to another log.
    #[error(
        "partition {partition} was folded from log {found}, not from {asked}: rebuild it, or open that log"
    )]
    OtherLog {
        /// The partition.
        partition: Partition,
        /// The log that the projection is of.
        found: String,
        /// The log that was asked for.
        asked: String,
    },
    /// A newer build wrote the projection.
    #[error(
        "the projection is of version {version}, newer than this build: use a newer build, or rebuild it"
    )]
    Newer {
        /// The version that is unknown here.
        version: i64,
    },
    /// An older build wrote the projection, and it was opened for reading only.
    #[error(
        "the projection is older than version {version}: open it for writing once to bring it up to date"
    )]
    Older {
        /// The version that is missing.
        version: i64,
    },
    /// The tables of a database are older than this build, or not there yet.
    #[error("the projection is older than version {version}, or not there: run `drawdown migrate`")]
    Unmigrated {
        /// The version that is missing.
        version: i64,
    },
    /// Another build made tables of the same version differently.
    #[error("the projection's tables of version {version} are not this build's: rebuild it")]
    OtherTables {
        /// The version that differs.
        version: i64,
    },
    /// No database was named for a partition.
    #[error(
        "no database is named for partition {partition}: give another --store, {partition}-…=postgres://…"
    )]
    NoStore {
        /// The partition.
        partition: Partition,
    },
    /// No name for a schema.
    #[error(
        "{name:?} is no name for a schema: use up to 40 lower-case letters, digits and underscores, a letter first"
    )]
    SchemaName {
        /// What was given.
        name: String,
    },
    /// It may have been committed: ask for the head, then go on from there.
    #[error("the connection was lost and whether the batch was committed is not known: look at the head")]
    Unknown(#[source] sqlx::Error),
    /// The database does not answer; nothing was changed.
    #[error("the database cannot be reached: see that it runs and may be connected to, then try again")]
    Unreachable(#[source] sqlx::Error),
    /// The disk has no room.
    #[error("the disk is full: make room, then start again")]
    Full,
    /// The file is damaged, or a row holds what was never written.
    #[error("the projection is damaged: rebuild it")]
    Corrupt(#[source] sqlx::Error),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

/// SQLite's primary result codes that call for something of their own.
const FULL: i32 = 13;
const CORRUPT: i32 = 11;
const NOT_A_DATABASE: i32 = 26;
/// No room for the shared index of the write-ahead log: reported as an I/O error.
const NO_ROOM_FOR_INDEX: i32 = 4874;

impl StoreError {
    /// Whether the projection is damaged, of another log, or of another build: to try again does not help.
    pub fn halts(&self) -> bool {
        match self {
            Self::OtherLog { .. }
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::Unmigrated { .. }
            | Self::OtherTables { .. }
            | Self::NoStore { .. }
            | Self::SchemaName { .. }
            | Self::Corrupt(_) => true,
            Self::Fenced { .. }
            | Self::Unknown(_)
            | Self::Unreachable(_)
            | Self::Full
            | Self::Database(_) => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let sqlite = error.as_database_error().and_then(|e| e.try_downcast_ref::<SqliteError>());
        let code = sqlite.and_then(|e| DatabaseError::code(e)?.parse::<i32>().ok());
        // The low byte is the primary code, the rest says more about it.
        match code.map(|code| (code, code & 0xff)) {
            Some((NO_ROOM_FOR_INDEX, _) | (_, FULL)) => Self::Full,
            Some((_, CORRUPT | NOT_A_DATABASE)) => Self::Corrupt(error),
            Some(_) => Self::Database(error),
            None if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) => {
                Self::Corrupt(error)
            }
            None => Self::Database(error),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        if let MigrateError::VersionMissing(version) = error {
            Self::Newer { version }
        } else if let MigrateError::VersionMismatch(version) = error {
            Self::OtherTables { version }
        } else if let MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) = error {
            error.into()
        } else {
            Self::Database(sqlx::Error::Migrate(Box::new(error)))
        }
    }
}
