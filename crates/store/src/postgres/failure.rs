//! What Postgres' error codes mean for whoever asked.

use sqlx::postgres::PgDatabaseError;

use crate::StoreError;

/// Why a commit did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Somebody else has the partition.
    Fenced,
    /// Nothing was changed, and the same may succeed now.
    Again(sqlx::Error),
    /// It may have been committed.
    Unknown(sqlx::Error),
    /// Nothing was changed, and the same would fail again.
    Failed(StoreError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if let Some(database) = error.as_database_error() {
            let code = database.code().unwrap_or_default().into_owned();
            let of_the_log = database
                .table()
                .is_some_and(|name| name.starts_with("record_") || name.starts_with("entry_"));
            return match code.as_str() {
                // The keys of records and entries are a second fence.
                UNIQUE if of_the_log => Self::Fenced,
                NOT_THE_HEAD | NO_PLACE => Self::Fenced,
                SERIALIZATION | DEADLOCK | LOCK_TIMEOUT => Self::Again(error),
                CANCELED | SILENT => Self::Unknown(error),
                code if code.starts_with(SHUT_DOWN) || code.starts_with(CONNECTION) => Self::Unknown(error),
                _ => Self::Failed(of_database(error)),
            };
        }
        if is_connection(&error) { Self::Unknown(error) } else { Self::Failed(of_database(error)) }
    }
}

const UNIQUE: &str = "23505";
/// Division by zero: how the fence at the end of a copy says that no head was moved.
const NOT_THE_HEAD: &str = "22012";
/// No such table: a partition that nobody took has no places for its rows.
const NO_PLACE: &str = "42P01";
const SERIALIZATION: &str = "40001";
const DEADLOCK: &str = "40P01";
const LOCK_TIMEOUT: &str = "55P03";
const CANCELED: &str = "57014";
/// Said nothing within a transaction for too long.
const SILENT: &str = "25P03";
const SHUT_DOWN: &str = "57P";
const CONNECTION: &str = "08";
const DISK_FULL: &str = "53100";
const DAMAGED: &str = "XX00";
const INTERNAL: &str = "XX000";

/// What an error is called that changed nothing.
pub(super) fn of_database(error: sqlx::Error) -> StoreError {
    let Some(database) = error.as_database_error().and_then(|e| e.try_downcast_ref::<PgDatabaseError>())
    else {
        return if is_connection(&error) { StoreError::Unreachable(error) } else { error.into() };
    };
    match database.code() {
        DISK_FULL => StoreError::Full,
        code if code.starts_with(DAMAGED) && code != INTERNAL => StoreError::Corrupt(error),
        code if code.starts_with(SHUT_DOWN) || code.starts_with(CONNECTION) => StoreError::Unreachable(error),
        _ => StoreError::Database(error),
    }
}

fn is_connection(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
    )
}
