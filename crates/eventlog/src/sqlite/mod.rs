//! The log in one SQLite file, for a product that runs without a broker.

mod append;
mod import;
mod read;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{self, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ledger::{Offset, Partition, Position};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::time::timeout;

pub use import::Importing;

use crate::tail::Tails;
use crate::{Appending, EventLog, LogError, POLL, Stretch, check, check_partition, check_size};
use writer::Writer;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/log/sqlite");

/// Large, because a row of many records lies on a run of pages, and each is read and copied by itself.
const PAGE_BYTES: u32 = 16384;
/// How long to wait for another process that appends.
const LOCKED: Duration = Duration::from_secs(10);
/// How many reads may run at once; each has a thread.
const READERS: u32 = 4;
/// How long whoever waits relies on this process's own appends before the file is asked for those of others: each look costs a
/// trip to another thread.
const SOON: Duration = Duration::from_millis(2);

/// What an acknowledged record survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The loss of power: each commit is synced to the disk.
    #[default]
    Power,
    /// The end of the process, but not of the machine: when power is lost, the last commits may be, and never the
    /// log's order or wholeness.
    Process,
}

/// A log in an SQLite file, which several processes may have open.
///
/// Appends that wait at the same time share one commit. Dropping the log lets those under way finish.
pub struct SqliteLog {
    partitions: u32,
    writer: Writer,
    readers: SqlitePool,
    tails: Arc<Tails>,
}

impl SqliteLog {
    /// Makes a log at `path`, with as many partitions as there are `genesis` records; each is its partition's offset 0.
    ///
    /// A crash leaves either no log or the whole of it.
    ///
    /// # Errors
    ///
    /// [`LogError::Exists`] if a log is there; [`LogError::Empty`] without a record; or the file cannot be written.
    pub async fn create(
        path: &Path,
        genesis: Vec<Vec<u8>>,
        durability: Durability,
    ) -> Result<Self, LogError> {
        if genesis.is_empty() {
            return Err(LogError::Empty { partition: Partition(0) });
        }
        for record in &genesis {
            check_size(record)?;
        }
        let options = options(path, durability)?;
        let mut connection = options.clone().create_if_missing(true).connect().await?;
        let mut transaction = connection.begin_with("begin immediate").await?;
        migrate(&mut transaction).await?;
        if partitions(&mut transaction).await? != 0 {
            return Err(LogError::Exists { path: path.to_owned() });
        }
        let mut count = 0;
        for record in &genesis {
            sqlx::query("insert into segment (partition, first, count, records) values (?, 0, 1, ?)")
                .bind(count)
                .bind(segment::single(record))
                .execute(&mut *transaction)
                .await?;
            count += 1;
        }
        transaction.commit().await.map_err(LogError::of_commit)?;
        Ok(Self::start(connection, options, count))
    }

    /// Opens the log at `path`; `None` if there is no file, or one in which no log was made.
    ///
    /// # Errors
    ///
    /// [`LogError::Newer`] if this build is too old for the file; or the file cannot be read.
    pub async fn open(path: &Path, durability: Durability) -> Result<Option<Self>, LogError> {
        if !tokio::fs::try_exists(path).await? {
            return Ok(None);
        }
        let options = options(path, durability)?;
        let mut connection = options.connect().await?;
        let made: bool = sqlx::query_scalar(
            "select exists (select 1 from sqlite_master where type = 'table' and name = 'segment')",
        )
        .fetch_one(&mut connection)
        .await?;
        let mut count = 0;
        if made {
            migrate(&mut connection).await?;
            count = partitions(&mut connection).await?;
        }
        if count == 0 {
            connection.close().await?;
            return Ok(None);
        }
        Ok(Some(Self::start(connection, options, count)))
    }

    fn start(connection: SqliteConnection, options: SqliteConnectOptions, partitions: u32) -> Self {
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.clone().pragma("query_only", "on"));
        let tails = Arc::new(Tails::new(partitions));
        Self { partitions, writer: Writer::start(connection, options, tails.clone()), readers, tails }
    }

    /// Closes the log: waits for what is under way, and leaves one file with all records in it if no other process
    /// has it open. Later calls fail with [`LogError::Closed`].
    ///
    /// # Errors
    ///
    /// If the file cannot be written; the records are safe all the same.
    pub async fn close(&self) -> Result<(), LogError> {
        self.readers.close().await;
        self.writer.close().await
    }
}

impl EventLog for SqliteLog {
    fn partitions(&self) -> u32 {
        self.partitions
    }

    async fn append(&self, records: Vec<Appending>) -> Result<Vec<Position>, LogError> {
        check(&records, self.partitions)?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        self.writer.append(records).await
    }

    async fn read(&self, partition: Partition, from: Offset, limit: usize) -> Result<Stretch, LogError> {
        check_partition(partition, self.partitions)?;
        if let Some(stretch) = self.tails.read(partition, from, limit) {
            return Ok(stretch);
        }
        let mut connection = self.readers.acquire().await?;
        read::read(&mut connection, partition, from, limit).await
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        check_partition(partition, self.partitions)?;
        let mut connection = self.readers.acquire().await?;
        read::end(&mut connection, partition).await
    }

    async fn wait(&self, partition: Partition, from: Offset) {
        let appended = || self.tails.wait(partition, from);
        let is_there = async { self.end(partition).await.map_or(true, |end| end > from) };
        if timeout(SOON, appended()).await.is_err() && !is_there.await {
            // Both ends of the wait mean the same: look again.
            let _ = timeout(POLL, appended()).await;
        }
    }
}

/// How each connection to the file at `path` is made.
fn options(path: &Path, durability: Durability) -> Result<SqliteConnectOptions, LogError> {
    let (synchronous, flush_the_drive) = match durability {
        Durability::Power => (SqliteSynchronous::Full, "on"),
        Durability::Process => (SqliteSynchronous::Normal, "off"),
    };
    Ok(SqliteConnectOptions::new()
        .filename(absolute(path)?)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        // On macOS a plain sync leaves the drive's own cache out; elsewhere this changes nothing.
        .pragma("fullfsync", flush_the_drive)
        .pragma("temp_store", "memory")
        .page_size(PAGE_BYTES)
        .busy_timeout(LOCKED)
        .disable_statement_logging())
}

/// SQLite takes a relative path that begins with `file:` or `:` for something else than a path.
fn absolute(path: &Path) -> Result<PathBuf, LogError> {
    Ok(path::absolute(path)?)
}

/// Brings the file's tables up to date, in the transaction that the connection may be in.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), LogError> {
    // `run` is not `Send` for a borrowed connection (its `Acquire` is tied to one lifetime); this is what it calls.
    Ok(MIGRATIONS.run_direct(connection).await?)
}

/// How many partitions the file holds: 0 before a log was made in it.
async fn partitions(connection: &mut SqliteConnection) -> Result<u32, LogError> {
    let last: Option<u32> =
        sqlx::query_scalar("select max(partition) from segment").fetch_one(connection).await?;
    Ok(last.map_or(0, |last| last + 1))
}
