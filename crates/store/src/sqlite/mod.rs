//! A projection in one SQLite file.
//!
//! One connection writes, a few read beside it (write-ahead log); a database in memory has only the one.

mod columns;
mod commit;
mod ids;
mod insert;
mod lease;
mod names;
mod opening;
mod store;
mod trail;

use std::io::ErrorKind;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Database, Sqlite, SqliteConnection, SqlitePool, TransactionManager};
use tokio::sync::{Mutex, MutexGuard};

use crate::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/projections/sqlite");

/// Small, because what a live batch changes is spread over many pages, and each is written whole.
const PAGE_BYTES: u32 = 4096;
const WRITER_CACHE_KIB: u32 = 128 * 1024;
const READER_CACHE_KIB: u32 = 16 * 1024;
const READERS: u32 = 4;
/// How many rows a connection's thread may be ahead of whoever takes them: threads that take turns cost more.
const ROWS_AHEAD: usize = 1024;
/// After how many pages the write-ahead log is copied into the file when there is much to catch up on: 64 MiB, so that a wallet's page
/// that changes with every batch is copied once for several.
const CHECKPOINT_PAGES: u32 = 16384;
/// The same when records come one by one: 1 MiB, because the disk does little else while pages are copied, and the log is on it too. With
/// 64 MiB at a time, one in a hundred requests waited for 30 ms.
const LIVE_PAGES: u32 = 256;
/// A batch of fewer records came live.
const LIVE: usize = 100;

/// A projection in SQLite.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Mutex<Writer>,
    /// None in memory, where the writer reads as well.
    readers: Option<SqlitePool>,
}

impl SqliteStore {
    /// Opens the projection in a file for writing, and makes it or brings its tables up to date where needed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`] or [`StoreError::OtherTables`] if another build made the file, and whatever the
    /// database fails with.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let options = connect_to(path.as_ref())
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
            .pragma("journal_size_limit", (2 * CHECKPOINT_PAGES * PAGE_BYTES).to_string());
        let mut connection = SqliteConnection::connect_with(&options).await?;
        MIGRATIONS.run_direct(&mut connection).await?;
        Ok(Self { writer: Mutex::new(Writer::new(connection)), readers: Some(readers(path.as_ref())) })
    }

    /// Opens the projection in a file beside whoever writes it; none if there is no such file. To write
    /// fails.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`], [`StoreError::Older`] or [`StoreError::OtherTables`] if another build made the
    /// file, and whatever the database fails with.
    pub async fn open_read_only(path: impl AsRef<Path>) -> Result<Option<Self>, StoreError> {
        let path = path.as_ref();
        if !tokio::fs::try_exists(path).await.map_err(sqlx::Error::Io)? {
            return Ok(None);
        }
        let mut connection = SqliteConnection::connect_with(&connect_to(path).read_only(true)).await?;
        check_tables(&mut connection).await?;
        Ok(Some(Self { writer: Mutex::new(Writer::new(connection)), readers: Some(readers(path)) }))
    }

    /// Opens the projection in a file as it stands now: what is committed later is not seen, however long this is
    /// open. None if there is no such file. To write fails.
    ///
    /// # Errors
    ///
    /// As [`Self::open_read_only`].
    pub async fn open_snapshot(path: impl AsRef<Path>) -> Result<Option<Self>, StoreError> {
        let path = path.as_ref();
        if !tokio::fs::try_exists(path).await.map_err(sqlx::Error::Io)? {
            return Ok(None);
        }
        let mut connection = SqliteConnection::connect_with(&connect_to(path).read_only(true)).await?;
        check_tables(&mut connection).await?;
        // A transaction that ends with its connection. It sees what is there at its first read.
        <Sqlite as Database>::TransactionManager::begin(&mut connection, None).await?;
        has_tables(&mut connection).await?;
        Ok(Some(Self { writer: Mutex::new(Writer::new(connection)), readers: None }))
    }

    /// Makes a projection that lasts as long as the value.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn in_memory() -> Result<Self, StoreError> {
        let options = tuned(SqliteConnectOptions::new().in_memory(true));
        let mut connection = SqliteConnection::connect_with(&options).await?;
        MIGRATIONS.run_direct(&mut connection).await?;
        Ok(Self { writer: Mutex::new(Writer::new(connection)), readers: None })
    }

    /// Deletes a projection's files. It may not be open.
    ///
    /// # Errors
    ///
    /// If a file is there and cannot be deleted.
    pub async fn remove(path: impl AsRef<Path>) -> Result<(), StoreError> {
        // The write-ahead log first: left alone, it would be taken for the log of the next file of that name.
        for suffix in ["-wal", "-shm", ""] {
            let mut file = path.as_ref().as_os_str().to_owned();
            file.push(suffix);
            match tokio::fs::remove_file(PathBuf::from(file)).await {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(sqlx::Error::Io(error).into());
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Waits for what is running, then closes the file.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn close(self) -> Result<(), StoreError> {
        if let Some(readers) = self.readers {
            readers.close().await;
        }
        Ok(self.writer.into_inner().connection.close().await?)
    }

    /// Lets the file grow to so many pages of 4 KiB and no further, until it is opened again: beyond that,
    /// writing fails as on a full disk.
    ///
    /// # Errors
    ///
    /// Whatever the database fails with.
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        sqlx::query(&format!("pragma max_page_count = {pages}")).execute(&mut writer.connection).await?;
        Ok(())
    }

    async fn reader(&self) -> Result<Reader<'_>, StoreError> {
        match &self.readers {
            Some(readers) => Ok(Reader::Pooled(readers.acquire().await?)),
            None => {
                let mut writer = self.writer.lock().await;
                writer.settle().await;
                Ok(Reader::Shared(writer))
            }
        }
    }
}

/// Enough for the statements of every table and length.
const STATEMENTS: usize = 256;

fn connect_to(path: &Path) -> SqliteConnectOptions {
    tuned(SqliteConnectOptions::new().filename(path)).busy_timeout(Duration::from_secs(10))
}

fn tuned(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .page_size(PAGE_BYTES)
        .statement_cache_capacity(STATEMENTS)
        .row_buffer_size(ROWS_AHEAD)
        .pragma("temp_store", "memory")
        .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
        // A statement of many rows would fill the log by itself.
        .disable_statement_logging()
}

fn readers(path: &Path) -> SqlitePool {
    let options = connect_to(path).read_only(true).pragma("cache_size", format!("-{READER_CACHE_KIB}"));
    SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options)
}

/// Refuses tables that are not exactly this build's.
async fn check_tables(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let applied = match connection.list_applied_migrations().await {
        Ok(applied) => applied,
        // Somebody has only just made the file.
        Err(_) if !has_tables(connection).await? => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if let Some(unknown) = applied.iter().find(|one| !MIGRATIONS.version_exists(one.version)) {
        return Err(StoreError::Newer { version: unknown.version });
    }
    for ours in MIGRATIONS.iter() {
        match applied.iter().find(|one| one.version == ours.version) {
            None => return Err(StoreError::Older { version: ours.version }),
            Some(one) if one.checksum != ours.checksum => {
                return Err(StoreError::OtherTables { version: ours.version });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

async fn has_tables(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let tables: i64 = sqlx::query_scalar("select count(*) from sqlite_schema where type = 'table'")
        .fetch_one(connection)
        .await?;
    Ok(tables > 0)
}

/// The connection that writes.
///
/// It begins and ends its transactions itself: after a full disk SQLite has already rolled back, which the
/// driver's own transactions do not expect.
#[derive(Debug)]
struct Writer {
    connection: SqliteConnection,
    /// Whether a transaction was begun and not ended, which is so when its future was dropped.
    in_transaction: bool,
    /// After how many pages the write-ahead log is copied into the file.
    checkpoint_pages: u32,
}

impl Writer {
    fn new(connection: SqliteConnection) -> Self {
        Self { connection, in_transaction: false, checkpoint_pages: CHECKPOINT_PAGES }
    }

    /// Copies the write-ahead log into the file in pieces that suit a batch of so many records.
    async fn suit(&mut self, records: usize) -> Result<(), StoreError> {
        let pages = if records < LIVE { LIVE_PAGES } else { CHECKPOINT_PAGES };
        if self.checkpoint_pages != pages {
            sqlx::query(&format!("pragma wal_autocheckpoint = {pages}"))
                .execute(&mut self.connection)
                .await?;
            self.checkpoint_pages = pages;
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.settle().await;
        self.in_transaction = true;
        sqlx::query("begin immediate").execute(&mut self.connection).await?;
        Ok(&mut self.connection)
    }

    /// Commits what succeeded and rolls back what did not.
    async fn end<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        let ended = match done {
            Ok(value) => match sqlx::query("commit").execute(&mut self.connection).await {
                Ok(_) => {
                    self.in_transaction = false;
                    Ok(value)
                }
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(error),
        };
        self.settle().await;
        ended
    }

    /// Rolls back what was left open.
    async fn settle(&mut self) {
        if self.in_transaction {
            // It fails only where nothing is open any more.
            let _ = sqlx::query("rollback").execute(&mut self.connection).await;
            self.in_transaction = false;
        }
    }
}

/// A connection to read with.
enum Reader<'a> {
    Pooled(PoolConnection<Sqlite>),
    Shared(MutexGuard<'a, Writer>),
}

impl Deref for Reader<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Shared(writer) => &writer.connection,
        }
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Pooled(connection) => connection,
            Self::Shared(writer) => &mut writer.connection,
        }
    }
}
