//! What every command is given: where the data is, how to print, and what time it is.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use eventlog::{Durability, KafkaLog, Log, LogError, SqliteLog};
use ingest::Stamp;
use ledger::Instant;
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{Projections, SqliteStore, StoreError};

pub use crate::clock::{Apart, Clock};
pub use crate::lock::{LockError, ProjectorLock};
use crate::places::{LogPlace, StorePlace};

/// How many partitions a log gets when nobody says.
pub const PARTITIONS: u32 = 4;

/// How long a projector may take to make the tables, which until then are not all there …
const MAKING: Duration = Duration::from_secs(2);
/// … and how often is looked whether it has.
const MADE: Duration = Duration::from_millis(20);

/// What every command is given.
#[derive(Clone, Debug)]
pub struct Context {
    /// The directory of log and projections, where they are not elsewhere.
    pub data: PathBuf,
    /// Where the log is.
    pub log: LogPlace,
    /// Where the projections are.
    pub store: StorePlace,
    /// A file of librdkafka's properties, for topics that are no logs.
    pub kafka_properties: Option<PathBuf>,
    /// Whether what is printed is one JSON object instead of text for people.
    pub json: bool,
    /// What an acknowledged record survives.
    pub durability: Durability,
    /// What time it is.
    pub clock: Clock,
}

impl Context {
    /// What time it is.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// An id that no other record has.
    pub(crate) fn fresh_id(&self) -> String {
        new_id(self.now())
    }

    /// The file of the log.
    pub fn log_path(&self) -> PathBuf {
        self.data.join("log.db")
    }

    /// The file of the projections.
    pub fn projections_path(&self) -> PathBuf {
        self.data.join("projections.db")
    }

    /// Opens the log; where the directory has none, makes it, and the directory.
    ///
    /// # Errors
    ///
    /// If the directory or the log cannot be made or opened. A log on Kafka is made by `init` alone: how many partitions it has
    /// is for ever.
    pub async fn open_log(&self) -> anyhow::Result<Arc<Log>> {
        if let Some(log) = self.open_log_if_any().await? {
            return Ok(log);
        }
        if let LogPlace::Kafka(url, _) = &self.log {
            bail!("there is no log at {url}: make it with `drawdown --log {url} init`");
        }
        match self.create_log(PARTITIONS).await {
            Ok(log) => Ok(log),
            // Another process was quicker.
            Err(error) if matches!(error.downcast_ref(), Some(LogError::Exists { .. })) => {
                self.open_log_if_any().await?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Opens the log; none if there is none.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub async fn open_log_if_any(&self) -> anyhow::Result<Option<Arc<Log>>> {
        let opened = match &self.log {
            LogPlace::Directory => {
                SqliteLog::open(&self.log_path(), self.durability).await.map(|log| log.map(Log::from))
            }
            LogPlace::Kafka(_, config) => match KafkaLog::open(config.clone()).await {
                Err(LogError::NoTopic { .. }) => Ok(None),
                opened => opened.map(|log| Some(Log::from(log))),
            },
        };
        Ok(opened.with_context(|| format!("{} cannot be opened", self.log_name()))?.map(Arc::new))
    }

    /// Makes a log of so many partitions, and the directory.
    ///
    /// # Errors
    ///
    /// [`LogError::Exists`] if there is a log, or nothing can be written there.
    pub async fn create_log(&self, partitions: u32) -> anyhow::Result<Arc<Log>> {
        let id = new_id(self.now());
        let stamp = Stamp { now: self.now(), by: "operator", backfill: false };
        let genesis = ingest::genesis(&id, partitions, None, &stamp);
        let made = match &self.log {
            LogPlace::Directory => {
                self.create_directory()?;
                let records = (0..partitions).map(|_| genesis.clone()).collect();
                SqliteLog::create(&self.log_path(), records, self.durability).await.map(Log::from)
            }
            LogPlace::Kafka(_, config) => {
                KafkaLog::create(config.clone(), genesis, partitions).await.map(Log::from)
            }
        };
        Ok(Arc::new(made.with_context(|| format!("no log can be made {}", self.log_place()))?))
    }

    /// Makes the directory, if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub fn create_directory(&self) -> anyhow::Result<()> {
        let made = std::fs::create_dir_all(&self.data);
        made.with_context(|| format!("the directory {} cannot be made", self.data.display()))
    }

    fn log_name(&self) -> String {
        match &self.log {
            LogPlace::Directory => self.log_path().display().to_string(),
            LogPlace::Kafka(url, _) => format!("the log at {url}"),
        }
    }

    fn store_name(&self) -> String {
        match &self.store {
            StorePlace::Directory => self.projections_path().display().to_string(),
            StorePlace::Postgres(database) => format!("the projection in {database}"),
        }
    }

    /// Where the log is, for people.
    pub fn log_place(&self) -> String {
        match &self.log {
            LogPlace::Directory => format!("in {}", self.data.display()),
            LogPlace::Kafka(url, _) => format!("at {url}"),
        }
    }

    /// Where the projections are, for people.
    pub fn store_place(&self) -> String {
        match &self.store {
            StorePlace::Directory => format!("in {}", self.data.display()),
            StorePlace::Postgres(database) => format!("in {database}"),
        }
    }

    /// Opens the projections for writing; where the directory has none, makes them. Hold the projector's lock.
    ///
    /// # Errors
    ///
    /// If they are another build's, or cannot be written.
    pub async fn open_store(&self, partitions: u32) -> anyhow::Result<Arc<Projections>> {
        let opened = match &self.store {
            StorePlace::Directory => {
                self.create_directory()?;
                SqliteStore::open(self.projections_path()).await.map(Projections::from)
            }
            StorePlace::Postgres(databases) => {
                databases.check(partitions)?;
                databases.connect().await
            }
        };
        Ok(Arc::new(opened.with_context(|| format!("{} cannot be opened", self.store_name()))?))
    }

    /// Opens the projections beside whoever writes them; none if there are none.
    ///
    /// # Errors
    ///
    /// If they are another build's, or cannot be read.
    pub async fn open_store_read_only(&self, partitions: u32) -> anyhow::Result<Option<Projections>> {
        let failed = || format!("{} cannot be opened", self.store_name());
        if let StorePlace::Postgres(databases) = &self.store {
            databases.check(partitions)?;
            return databases.connect().await.map(Some).with_context(failed);
        }
        let path = self.projections_path();
        let mut tries = MAKING.as_millis() / MADE.as_millis();
        loop {
            let store = SqliteStore::open_read_only(&path).await;
            if !matches!(store, Err(StoreError::Older { .. })) || tries == 0 {
                return store.map(|store| store.map(Projections::from)).with_context(failed);
            }
            tries -= 1;
            tokio::time::sleep(MADE).await;
        }
    }

    /// Opens the projections as they stand now: what is committed later is not seen. None if there are none.
    ///
    /// # Errors
    ///
    /// As [`Self::open_store_read_only`].
    pub async fn open_snapshot(&self, partitions: u32) -> anyhow::Result<Option<Projections>> {
        let opened = match &self.store {
            StorePlace::Directory => SqliteStore::open_snapshot(self.projections_path())
                .await
                .map(|store| store.map(Projections::from)),
            StorePlace::Postgres(databases) => {
                databases.check(partitions)?;
                databases.snapshot().await.map(Some)
            }
        };
        opened.with_context(|| format!("{} cannot be opened", self.store_name()))
    }

    /// Drops the projections, and makes the tables anew. Hold the projector's lock.
    ///
    /// # Errors
    ///
    /// If they are in use or cannot be written.
    pub async fn drop_store(&self) -> anyhow::Result<()> {
        match &self.store {
            StorePlace::Directory => Ok(SqliteStore::remove(self.projections_path()).await?),
            StorePlace::Postgres(databases) => {
                databases.remove().await?;
                Ok(databases.migrate().await?)
            }
        }
    }

    /// Takes the right to fold into the directory, which is made if it is not there, without waiting for it. Of a database, who folds
    /// is agreed on partition by partition.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] if another process has it.
    pub fn lock_projector(&self) -> anyhow::Result<ProjectorLock> {
        if let StorePlace::Postgres(_) = self.store {
            return Ok(ProjectorLock::none());
        }
        self.create_directory()?;
        Ok(ProjectorLock::take(&self.data)?)
    }

    /// Prints what a command has to say: as text, or as one JSON object.
    ///
    /// # Errors
    ///
    /// If nobody reads it.
    pub fn print<T: Serialize + Display>(&self, report: &T) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(report)? } else { report.to_string() };
        print(&text)
    }
}

/// Prints lines to the standard output.
///
/// # Errors
///
/// If nobody reads them: unlike `println!`, which panics then.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.is_empty() && !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// An id that nothing else has: 32 hexadecimal digits.
pub(crate) fn random_id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    hex(&bytes)
}

/// An id that no other log and no other record has: 32 hexadecimal digits.
///
/// The standard library's hashers are keyed from the system's randomness; process and time are stirred in.
fn new_id(now: Instant) -> String {
    use std::hash::{BuildHasher, RandomState};
    let keys = RandomState::new();
    let mut hash = Sha256::new();
    for part in 0u64..4 {
        hash.update(keys.hash_one(part).to_be_bytes());
    }
    hash.update(std::process::id().to_be_bytes());
    hash.update(now.0.to_be_bytes());
    hex(&hash.finalize()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
