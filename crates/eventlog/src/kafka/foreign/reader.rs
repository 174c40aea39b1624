//! Reading a topic that others write.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ledger::{Offset, Partition, Position};
use rdkafka::error::KafkaError;
use rdkafka::message::Headers as _;
use rdkafka::{ClientConfig, Message};
use tokio::sync::mpsc;

use super::super::blocking;
use super::super::config::KafkaConfig;
use super::super::greeting::greet;
use super::super::keeper::{failed, is_final, is_missing, is_outside, offset};
use super::super::news::{News, STATISTICS};
use super::super::renewed::{Asked, Renewed};
use super::super::topic::Topic;
use super::places::{Group, Places};
use super::{Received, TopicMessage};
use crate::LogError;

/// So many messages are handed out together …
const TOGETHER: usize = 4_000;
/// … or so many bytes …
const BYTES: usize = 4 << 20;
/// … or what came within this time after the first of them.
const LINGER: Duration = Duration::from_millis(20);
/// How long the thread waits for a message before it looks whether anybody still wants one.
const PAUSE: Duration = Duration::from_millis(200);
/// How often it is looked whether the topic has got more partitions.
const GROWTH: Duration = Duration::from_secs(5);

/// What is read of a topic.
#[derive(Clone, Debug)]
pub struct TopicReading {
    /// The consumer group whose committed offsets say how far was read. Nobody joins it: two who read as the same group
    /// both read everything, unless `only` shares the partitions out.
    pub group: String,
    /// Only these partitions; none for all of them, those that are added later too.
    pub only: Option<BTreeSet<Partition>>,
    /// When to end.
    pub until: Until,
}

/// When a reader ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Never by itself.
    Stopped,
    /// At the end that the topic has when the reading begins.
    End,
}

/// Messages that were read, and how far they bring the reader.
#[derive(Debug)]
pub struct TopicBatch {
    /// In order within each partition.
    pub messages: Vec<Received>,
    next: Places,
}

/// Reads a topic that others write, from where its group left off, and a new group from the beginning.
///
/// A thread reads ahead by some megabytes. How far was read is noted by [`note`](Self::note) alone.
pub struct TopicReader {
    group: Group,
    partitions: u32,
    largest: usize,
    batches: mpsc::Receiver<Result<TopicBatch, LogError>>,
}

impl TopicReader {
    /// Begins to read.
    ///
    /// # Errors
    ///
    /// [`LogError::NoTopic`]; [`LogError::UnknownPartition`] of one to be read; [`LogError::BeyondEnd`] if the group has read
    /// further than the topic goes, so that it is another one of the same name; or the broker cannot be reached.
    pub async fn open(config: KafkaConfig, reading: TopicReading) -> Result<Self, LogError> {
        greet(&config).await?;
        let news = News::default();
        let largest = Topic::new(&config, news.clone())?.largest().await?;
        blocking(move || {
            let name = reading.group.clone();
            let settings = move |client: &mut ClientConfig| {
                client
                    .set("group.id", &name)
                    .set(STATISTICS.0, STATISTICS.1)
                    .set("queued.max.messages.kbytes", "8192")
                    .set("fetch.max.bytes", "8388608")
                    .set("fetch.wait.max.ms", "100");
            };
            let client = Arc::new(Renewed::new(&config, news, Box::new(settings))?);
            let group = Group { config, name: reading.group.clone(), client };
            let partitions = group.partitions()?;
            let unknown = reading.only.iter().flatten().find(|partition| partition.0 >= partitions);
            if let Some(partition) = unknown {
                return Err(LogError::UnknownPartition { partition: *partition, partitions });
            }
            let (sender, batches) = mpsc::channel(1);
            let follower = Follower::begin(group.clone(), reading, partitions)?;
            thread::Builder::new().name("topic-reader".into()).spawn(move || follower.run(&sender))?;
            Ok(Self { group, partitions, largest, batches })
        })
        .await
    }

    /// How many partitions the topic had when the reading began.
    pub fn partitions(&self) -> u32 {
        self.partitions
    }

    /// The most bytes that the topic takes in one batch of messages.
    pub fn largest(&self) -> usize {
        self.largest
    }

    /// The next messages, once there are some; none at the end.
    ///
    /// # Errors
    ///
    /// [`LogError::NoTopic`] and [`LogError::BeyondEnd`] if the topic was deleted or made anew, or the broker refuses. Nothing
    /// is read after that. A broker that is away is waited for.
    pub async fn next(&mut self) -> Result<Option<TopicBatch>, LogError> {
        self.batches.recv().await.transpose()
    }

    /// Notes for the group that these messages, and all before them, are dealt with.
    ///
    /// # Errors
    ///
    /// The broker cannot be reached, or refuses: somebody else may be a member of the group.
    pub async fn note(&self, batch: &TopicBatch) -> Result<(), LogError> {
        let (group, next) = (self.group.clone(), batch.next.clone());
        blocking(move || group.note(&next)).await
    }
}

/// The thread that reads.
struct Follower {
    group: Group,
    /// The one that reads on at `places`.
    consumer: Arc<Asked>,
    reading: TopicReading,
    places: Places,
    /// Where to end; nothing is left of it at the end.
    ends: Option<Places>,
    looked: Instant,
}

impl Follower {
    fn begin(group: Group, reading: TopicReading, partitions: u32) -> Result<Self, LogError> {
        let wanted = wanted(&reading, partitions);
        let places = group.begin(&wanted)?;
        let mut ends = None;
        if reading.until == Until::End {
            let ends = ends.insert(Places::new());
            for (partition, next) in &places {
                let (_, end) = group.bounds(*partition)?;
                if *next < end {
                    ends.insert(*partition, end);
                }
            }
        }
        let consumer = group.client.consumer()?;
        group.read_on(&consumer, &places)?;
        let shown = places.iter().map(|(partition, next)| format!("{partition}:{next}")).collect::<Vec<_>>();
        tracing::info!(topic = group.config.topic(), group = group.name, from = %shown.join(","), "reads a topic");
        Ok(Self { group, consumer, reading, places, ends, looked: Instant::now() })
    }

    fn run(mut self, batches: &mpsc::Sender<Result<TopicBatch, LogError>>) {
        while !batches.is_closed() && self.ends.as_ref().is_none_or(|ends| !ends.is_empty()) {
            let (messages, read) = self.gather();
            let read = read.and_then(|()| self.go_on());
            if !messages.is_empty() {
                let next = messages.iter().map(|m| (m.at.partition, m.at.offset.plus(1))).collect();
                if batches.blocking_send(Ok(TopicBatch { messages, next })).is_err() {
                    return;
                }
            }
            if let Err(error) = read.and_then(|()| self.look_for_more()) {
                // Who no longer waits does not ask why.
                let _ = batches.blocking_send(Err(error));
                return;
            }
        }
    }

    /// Reads on with another consumer, where one has taken the place of this one.
    fn go_on(&mut self) -> Result<(), LogError> {
        let consumer = self.group.client.consumer()?;
        if !Arc::ptr_eq(&consumer, &self.consumer) {
            self.group.read_on(&consumer, &self.places)?;
            self.consumer = consumer;
        }
        Ok(())
    }

    /// What came, up to a batch.
    fn gather(&mut self) -> (Vec<Received>, Result<(), LogError>) {
        let (mut messages, mut bytes, mut until) = (Vec::new(), 0, Instant::now() + PAUSE);
        while messages.len() < TOGETHER && bytes < BYTES {
            if self.ends.as_ref().is_some_and(Places::is_empty) {
                break;
            }
            match self.take(until.saturating_duration_since(Instant::now())) {
                Ok(Some(message)) => {
                    if messages.is_empty() {
                        until = Instant::now() + LINGER;
                    }
                    bytes += message.message.value.as_ref().map_or(0, Vec::len) + 64;
                    messages.push(message);
                }
                Ok(None) if Instant::now() < until => {}
                Ok(None) => break,
                Err(error) => return (messages, Err(error)),
            }
        }
        (messages, Ok(()))
    }

    /// The next message, if one comes in time.
    fn take(&mut self, time: Duration) -> Result<Option<Received>, LogError> {
        let received = match self.consumer.poll(time) {
            None => return Ok(None),
            Some(Ok(message)) => received(&message),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                self.note_end(Partition(u32::try_from(partition).unwrap_or(u32::MAX)));
                return Ok(None);
            }
            Some(Err(error)) => return self.trouble(error).map(|()| None),
        };
        let Some(place) = self.places.get_mut(&received.at.partition) else { return Ok(None) };
        if received.at.offset < *place {
            return Ok(None);
        }
        *place = received.at.offset.plus(1);
        let next = *place;
        if self
            .ends
            .as_ref()
            .and_then(|ends| ends.get(&received.at.partition))
            .is_some_and(|end| *end <= next)
        {
            self.note_end(received.at.partition);
        }
        Ok(Some(received))
    }

    fn note_end(&mut self, partition: Partition) {
        if let Some(ends) = &mut self.ends {
            ends.remove(&partition);
        }
    }

    fn trouble(&mut self, error: KafkaError) -> Result<(), LogError> {
        if is_outside(&error) {
            // It does not say of which partition, which would stay silent from now on.
            for (partition, next) in &mut self.places {
                *next = self.group.within(*partition, Some(*next))?;
            }
            return self.group.read_on(&self.consumer, &self.places);
        }
        if is_missing(&error) || is_final(&error) {
            return Err(failed(self.group.config.topic(), error));
        }
        tracing::debug!(topic = self.group.config.topic(), %error, "the topic's reader goes on after a trouble");
        Ok(())
    }

    /// Reads partitions too that were added to the topic.
    fn look_for_more(&mut self) -> Result<(), LogError> {
        let is_fixed = self.ends.is_some() || self.reading.only.is_some();
        if is_fixed || self.looked.elapsed() < GROWTH {
            return Ok(());
        }
        self.looked = Instant::now();
        let partitions = match self.group.partitions() {
            Ok(partitions) => partitions,
            // The broker is away, and waited for.
            Err(error) if !error.halts() => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut added = wanted(&self.reading, partitions);
        added.retain(|partition| !self.places.contains_key(partition));
        if added.is_empty() {
            return Ok(());
        }
        tracing::info!(topic = self.group.config.topic(), partitions, "the topic has got more partitions");
        self.places.extend(self.group.begin(&added)?);
        self.group.read_on(&self.consumer, &self.places)
    }
}

fn wanted(reading: &TopicReading, partitions: u32) -> BTreeSet<Partition> {
    reading.only.clone().unwrap_or_else(|| (0..partitions).map(Partition).collect())
}

pub(super) fn received(message: &impl Message) -> Received {
    let partition = Partition(u32::try_from(message.partition()).unwrap_or(u32::MAX));
    let at: Position = Position { partition, offset: Offset(offset(message.offset()).0) };
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    });
    let (key, value) = (message.key().map(<[u8]>::to_vec), message.payload().map(<[u8]>::to_vec));
    Received { at, message: TopicMessage { key, value, headers } }
}
