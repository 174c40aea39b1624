//! The log in one topic of Kafka, for a product that runs on several machines.

mod appender;
mod config;
mod cursor;
mod cursors;
mod delivery;
mod foreign;
mod greeting;
mod identity;
mod keeper;
mod line;
mod news;
mod renewed;
mod sending;
mod topic;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ledger::{Offset, Partition, Position};
use tokio::task::spawn_blocking;

pub use config::KafkaConfig;
pub use foreign::{
    GaplessWriter, Received, TopicBatch, TopicEnds, TopicMessage, TopicReader, TopicReading, TopicWriter,
    Until,
};

use crate::{Appending, EventLog, LogError, Stretch, check, check_partition, check_size};
use appender::Appender;
use cursors::Cursors;
use greeting::greet;
use identity::Opened;
use keeper::Keeper;
use news::News;
use topic::{Made, Topic};

/// How long to let another process that makes the same log be the first.
const FIRST: Duration = Duration::from_secs(3);

/// A log that is a topic of Kafka, which any number of processes may have open.
///
/// An append is acknowledged by all replicas that are in sync. Its records stand in the order given, but those of
/// others may stand between them; where the answer is [`LogError::Unknown`], some may be in the log and others not.
/// Nothing that was sent is taken back by dropping the log, but it may not get there: [`close`](Self::close) waits.
pub struct KafkaLog {
    log: Arc<Opened>,
    appender: Arc<Appender>,
    cursors: Cursors,
}

impl KafkaLog {
    /// Makes the log: its topic, and `genesis` at offset 0 of each of so many partitions.
    ///
    /// A call that breaks off leaves a log that [`open`](Self::open) refuses and another call finishes, with the
    /// record that partition 0 begins with, whatever `genesis` it is given.
    ///
    /// # Errors
    ///
    /// [`LogError::Exists`] if the whole log is there; [`LogError::Empty`] without partitions;
    /// [`LogError::Partitions`] or [`LogError::Setting`] if there is a topic of another kind; or the broker failed.
    pub async fn create(config: KafkaConfig, genesis: Vec<u8>, partitions: u32) -> Result<Self, LogError> {
        if partitions == 0 {
            return Err(LogError::Empty { partition: Partition(0) });
        }
        check_size(&genesis)?;
        greet(&config).await?;
        let news = News::default();
        let keeper = Arc::new(Keeper::new(&config, news.clone())?);
        let brokers = blocking({
            let keeper = Arc::clone(&keeper);
            move || keeper.brokers()
        });
        let topic = Topic::new(&config, news.clone())?;
        let made = topic.make(partitions, brokers.await?).await?;
        let missing = blocking({
            let (config, keeper) = (config.clone(), Arc::clone(&keeper));
            move || missing(&config, &keeper, partitions, made)
        });
        let missing = missing.await?;
        topic.check().await?;
        if missing.is_empty() {
            return Err(LogError::Exists { path: PathBuf::from(config.topic()) });
        }
        let opened = blocking({
            let config = config.clone();
            move || Opened::begun(config, keeper, news, partitions)
        });
        begin(opened.await?, genesis, missing).await?;
        Self::open_greeted(config).await
    }

    /// Opens the log.
    ///
    /// # Errors
    ///
    /// [`LogError::NoTopic`] if there is none; [`LogError::Setting`] if it would forget records;
    /// [`LogError::Unfinished`] if a partition has no record, which is also what an added partition looks like;
    /// [`LogError::CutOff`] if it has forgotten some; [`LogError::Replaced`] if partitions begin with different
    /// records; [`LogError::Unreachable`] if no broker lets us in, or none can be reached.
    pub async fn open(config: KafkaConfig) -> Result<Self, LogError> {
        greet(&config).await?;
        Self::open_greeted(config).await
    }

    async fn open_greeted(config: KafkaConfig) -> Result<Self, LogError> {
        let news = News::default();
        let keeper = Arc::new(Keeper::new(&config, news.clone())?);
        Topic::new(&config, news.clone())?.check().await?;
        let opened = blocking(move || {
            let log = Arc::new(Opened::new(config, keeper, news)?);
            Ok((Arc::clone(&log), Appender::new(log)?))
        });
        let (log, appender) = opened.await?;
        Ok(Self { cursors: Cursors::new(Arc::clone(&log)), appender: Arc::new(appender), log })
    }

    /// Deletes a log with all of its records: one made for a trial.
    ///
    /// # Errors
    ///
    /// [`LogError::NoTopic`] if there is none; or the broker failed.
    pub async fn delete(config: &KafkaConfig) -> Result<(), LogError> {
        Topic::new(config, News::default())?.delete().await
    }

    /// Waits until an append is sent at once: in its first half second a log waits for a number from the broker.
    ///
    /// # Errors
    ///
    /// [`LogError::Silent`] if the broker gives none.
    pub async fn ready(&self) -> Result<(), LogError> {
        let (until, waited) = (Instant::now() + self.log.config.patience, self.log.config.patience);
        while !self.appender.is_ready() {
            if Instant::now() > until {
                return Err(LogError::Silent { waited });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Waits until what was sent is in the log.
    ///
    /// # Errors
    ///
    /// [`LogError::Unknown`] if it did not get there in time.
    pub async fn close(&self) -> Result<(), LogError> {
        let (appender, time) = (Arc::clone(&self.appender), self.log.config.sending);
        blocking(move || appender.flush(time)).await
    }
}

impl EventLog for KafkaLog {
    fn partitions(&self) -> u32 {
        self.log.partitions
    }

    async fn append(&self, records: Vec<Appending>) -> Result<Vec<Position>, LogError> {
        check(&records, self.log.partitions)?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        self.appender.append(records).await
    }

    async fn read(&self, partition: Partition, from: Offset, limit: usize) -> Result<Stretch, LogError> {
        check_partition(partition, self.log.partitions)?;
        if let Some(stretch) = self.log.appended(partition, from, limit) {
            self.log.goes_on()?;
            return Ok(stretch);
        }
        self.cursors.read(partition, from, limit).await
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        check_partition(partition, self.log.partitions)?;
        let log = Arc::clone(&self.log);
        blocking(move || log.end(partition)).await
    }

    async fn wait(&self, partition: Partition, from: Offset) {
        if check_partition(partition, self.log.partitions).is_ok() {
            tokio::select! {
                biased;
                () = self.log.tails.wait(partition, from) => {}
                () = self.cursors.wait(partition, from) => {}
            }
        }
    }
}

/// The partitions without a record, in order.
fn missing(
    config: &KafkaConfig,
    keeper: &Keeper,
    expected: u32,
    made: Made,
) -> Result<Vec<Partition>, LogError> {
    let until = Instant::now() + config.patience;
    let partitions = loop {
        match keeper.partitions()? {
            Some(partitions) => break partitions,
            // A topic that was made is not known to every broker at once.
            None if Instant::now() < until => thread::sleep(Duration::from_millis(20)),
            None => return Err(LogError::NoTopic { topic: config.topic().into() }),
        }
    };
    if partitions != expected {
        return Err(LogError::Partitions { topic: config.topic().into(), partitions, expected });
    }
    if made == Made::Before {
        // Who made the topic is about to write the first record; two of them would be one too many.
        let until = Instant::now() + FIRST;
        while keeper.bounds(Partition(0))?.end == Offset(0) && Instant::now() < until {
            thread::sleep(Duration::from_millis(50));
        }
    }
    let mut missing = Vec::new();
    for partition in (0..partitions).map(Partition) {
        if keeper.bounds(partition)?.end == Offset(0) {
            missing.push(partition);
        }
    }
    Ok(missing)
}

/// Writes the first record where it is missing: that of partition 0, which is written first.
async fn begin(log: Opened, genesis: Vec<u8>, missing: Vec<Partition>) -> Result<(), LogError> {
    let log = Arc::new(log);
    let there = blocking({
        let log = Arc::clone(&log);
        move || Ok((log.keeper.record(Partition(0), Offset(0))?, Appender::new(log)?))
    });
    let (there, appender) = there.await?;
    let genesis = there.unwrap_or(genesis);
    for partition in missing {
        let bytes = genesis.clone();
        let positions = appender.append(vec![Appending { partition, bytes }]).await?;
        if positions[0].offset != Offset(0) {
            // Another process was quicker.
            return Err(LogError::Exists { path: PathBuf::from(log.config.topic()) });
        }
    }
    Ok(())
}

/// Runs what waits for the broker on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    spawn_blocking(work).await.unwrap_or(Err(LogError::Closed))
}
