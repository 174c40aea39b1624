//! Making a log of records that come from another one.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ledger::{Offset, Partition};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::fs::{self, File};

use super::segment::Segment;
use super::{Durability, absolute, migrate, options};
use crate::{LogError, check_partition, check_size};

/// A new log in the making, filled with raw records from offset 0 on.
///
/// It is written to a file beside its place (`log.db.importing`) and moved there, whole and synced, by
/// [`finish`](Self::finish). Dropped before that, it leaves nothing.
pub struct Importing {
    path: PathBuf,
    draft: Draft,
    connection: SqliteConnection,
    partitions: Vec<Filling>,
}

/// A partition being filled.
#[derive(Default)]
struct Filling {
    /// The offset of the open row's first record.
    first: Offset,
    open: Segment,
}

/// The unfinished file, which goes when this does.
struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // Finished, it has moved; and a file that cannot be removed is named by the next import.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Importing {
    /// Begins a log of so many partitions that will be at `path`.
    ///
    /// # Errors
    ///
    /// [`LogError::Exists`] if anything is at `path`, or an import to it is under way or was interrupted by a crash;
    /// [`LogError::Empty`] for no partitions; or the file cannot be made.
    pub async fn begin(path: &Path, partitions: u32) -> Result<Self, LogError> {
        if partitions == 0 {
            return Err(LogError::Empty { partition: Partition(0) });
        }
        let path = absolute(path)?;
        let draft = beside(&path, ".importing");
        // SQLite would take a write-ahead log that stayed behind for the new file's own.
        for taken in [path.clone(), beside(&path, "-wal"), beside(&draft, "-wal")] {
            if fs::try_exists(&taken).await? {
                return Err(LogError::Exists { path: taken });
            }
        }
        File::create_new(&draft).await.map_err(|error| exists(error, &draft))?;
        let draft = Draft(draft);

        let mut connection = options(&draft.0, Durability::Process)?
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .connect()
            .await?;
        migrate(&mut connection).await?;
        sqlx::query("begin").execute(&mut connection).await?;
        let partitions = (0..partitions).map(|_| Filling::default()).collect();
        Ok(Self { path, draft, connection, partitions })
    }

    /// Adds a record at the end of a partition, in any order of partitions, and answers its offset.
    ///
    /// # Errors
    ///
    /// [`LogError::UnknownPartition`] or [`LogError::TooLarge`], and nothing was added; or the file cannot be written:
    /// then give the import up.
    pub async fn push(&mut self, partition: Partition, record: &[u8]) -> Result<Offset, LogError> {
        check_partition(partition, self.partitions.len() as u32)?;
        check_size(record)?;
        let filling = &mut self.partitions[partition.0 as usize];
        let offset = filling.first.plus(filling.open.len());
        filling.open.push(record);
        if filling.open.is_full() {
            filling.write(&mut self.connection, partition).await?;
        }
        Ok(offset)
    }

    /// Makes the log visible at its place, durable and as a whole; [`SqliteLog::open`](super::SqliteLog::open) opens it.
    ///
    /// # Errors
    ///
    /// [`LogError::Empty`] if a partition has no record; [`LogError::Exists`] if something came to its place meanwhile;
    /// or the file cannot be written. Then nothing is left of it.
    pub async fn finish(mut self) -> Result<(), LogError> {
        for (partition, filling) in (0..).map(Partition).zip(&mut self.partitions) {
            if filling.first == Offset(0) && filling.open.is_empty() {
                return Err(LogError::Empty { partition });
            }
            filling.write(&mut self.connection, partition).await?;
        }
        sqlx::query("commit").execute(&mut self.connection).await?;
        self.connection.close().await?;
        // The switch to write-ahead logging needs the file alone, which whoever opens it first may not have.
        options(&self.draft.0, Durability::Power)?.connect().await?.close().await?;
        File::open(&self.draft.0).await?.sync_all().await?;

        // A link, because a rename would replace what is there.
        fs::hard_link(&self.draft.0, &self.path).await.map_err(|error| exists(error, &self.path))?;
        drop(self.draft);
        #[cfg(unix)]
        if let Some(directory) = self.path.parent() {
            File::open(directory).await?.sync_all().await?;
        }
        Ok(())
    }
}

impl Filling {
    /// Writes the open row, if it holds anything.
    async fn write(
        &mut self,
        connection: &mut SqliteConnection,
        partition: Partition,
    ) -> Result<(), LogError> {
        let row = std::mem::take(&mut self.open);
        if row.is_empty() {
            return Ok(());
        }
        let (first, count) = (self.first, row.len());
        sqlx::query("insert into segment (partition, first, count, records) values (?, ?, ?, ?)")
            .bind(partition.0)
            .bind(first.0 as i64)
            .bind(count as i64)
            .bind(row.encode())
            .execute(connection)
            .await?;
        self.first = first.plus(count);
        Ok(())
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn exists(error: std::io::Error, path: &Path) -> LogError {
    if error.kind() == ErrorKind::AlreadyExists {
        LogError::Exists { path: path.to_owned() }
    } else {
        error.into()
    }
}
