//! Whoever asks the broker about the topic: ends, single records, and whether it is still the same log.
//!
//! It has a connection of its own: a broker answers a connection's requests one after another, and a reader's request
//! for more waits there until more comes.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ledger::{Offset, Partition};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{ClientConfig, Message, TopicPartitionList};

use super::config::KafkaConfig;
use super::news::News;
use super::renewed::Renewed;
use crate::LogError;

/// How long one look at the broker takes at most before it is tried again.
pub(super) const LOOK: Duration = Duration::from_secs(2);
/// How often to look for a record that the bounds say is there.
const LOOKS: u32 = 3;
pub(super) const RETRY: Duration = Duration::from_millis(20);

pub(super) struct Keeper {
    topic: String,
    patience: Duration,
    client: Renewed,
    /// The consumer reads one record at a time.
    reading: Mutex<()>,
}

/// What a look for a record came to.
enum Found {
    Record(Vec<u8>),
    Nothing,
    /// The client brought nothing at all.
    Silence,
}

/// The first and the last but one offset that a partition has.
pub(super) struct Bounds {
    pub(super) first: Offset,
    pub(super) end: Offset,
}

impl Keeper {
    pub(super) fn new(config: &KafkaConfig, news: News) -> Result<Self, LogError> {
        // What it reads is never at the end, so what it still waits for is not worth waiting for.
        let settings = |client: &mut ClientConfig| {
            client
                .set("fetch.wait.max.ms", "5")
                .set("fetch.message.max.bytes", "65536")
                .set("queued.max.messages.kbytes", "1024");
        };
        let client = Renewed::new(config, news, Box::new(settings))?;
        let (topic, patience) = (config.topic().to_owned(), config.patience);
        Ok(Self { topic, patience, client, reading: Mutex::new(()) })
    }

    /// How many partitions the topic has; none if there is no such topic.
    pub(super) fn partitions(&self) -> Result<Option<u32>, LogError> {
        let metadata = self.client.ask(|consumer| consumer.fetch_metadata(Some(&self.topic), LOOK))?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        let Some(topic) = topic else { return Ok(None) };
        if let Some(error) = topic.error() {
            let error = KafkaError::MetadataFetch(error.into());
            return if is_missing(&error) { Ok(None) } else { Err(LogError::Broker(error.into())) };
        }
        let count = u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX);
        Ok((count > 0).then_some(count))
    }

    pub(super) fn brokers(&self) -> Result<usize, LogError> {
        let metadata = self.client.ask(|consumer| consumer.fetch_metadata(None, LOOK))?;
        Ok(metadata.brokers().len())
    }

    /// The name that the cluster gave itself, as of the last metadata.
    pub(super) fn cluster(&self) -> Result<String, LogError> {
        let timed_out = || KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut);
        self.client.ask(|consumer| consumer.client().fetch_cluster_id(LOOK).ok_or_else(timed_out))
    }

    pub(super) fn bounds(&self, partition: Partition) -> Result<Bounds, LogError> {
        let (number, began) = (native(partition), Instant::now());
        let (mut failing, until) = (began, began + self.patience);
        loop {
            let consumer = self.client.consumer()?;
            let error = match consumer.fetch_watermarks(&self.topic, number, LOOK) {
                Ok((first, end)) => return Ok(Bounds { first: offset(first), end: offset(end) }),
                Err(error) => error,
            };
            // What the client calls unknown, the broker may know: it has no leader now, or had none once. And of a topic that was made
            // just now, one broker hears later than another.
            let is_known = is_missing(&error) && self.has(partition)?;
            let is_perhaps_new = is_missing(&error) && began.elapsed() < LOOK;
            if is_final(&error) && !is_known && !is_perhaps_new {
                return Err(self.failed(error));
            }
            if Instant::now() >= until {
                let silent = LogError::Silent { waited: self.patience };
                return Err(if is_known { silent } else { self.failed(error) });
            }
            if is_known || failing.elapsed() >= LOOK {
                self.client.replace(&consumer)?;
                failing = Instant::now();
            }
            thread::sleep(RETRY);
        }
    }

    /// Whether the broker has the partition.
    fn has(&self, partition: Partition) -> Result<bool, LogError> {
        Ok(self.partitions()?.is_some_and(|count| partition.0 < count))
    }

    /// One record; none if the partition does not have it (any more, or yet).
    pub(super) fn record(&self, partition: Partition, at: Offset) -> Result<Option<Vec<u8>>, LogError> {
        let (mut looks, mut silence, until) = (0, LOOK, Instant::now() + self.patience);
        loop {
            let wait = silence.min(until.saturating_duration_since(Instant::now()));
            match self.look_for((partition, at), wait)? {
                Found::Record(record) => return Ok(Some(record)),
                Found::Silence if Instant::now() >= until => {
                    return Err(LogError::Silent { waited: self.patience });
                }
                Found::Silence => silence *= 2,
                Found::Nothing => {
                    let bounds = self.bounds(partition)?;
                    looks += 1;
                    if looks == LOOKS || at < bounds.first || bounds.end <= at {
                        return Ok(None);
                    }
                    // What a client fetched for an earlier question may still come up: the bounds know better.
                }
            }
        }
    }

    fn look_for(&self, (partition, at): (Partition, Offset), wait: Duration) -> Result<Found, LogError> {
        let _one = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let consumer = self.client.consumer()?;
        assign(&consumer, &self.topic, partition, at).map_err(|error| self.failed(error))?;
        let found = self.found(&consumer, at, wait);
        consumer.unassign().map_err(|error| self.failed(error))?;
        if let Ok(Found::Silence) = found {
            self.client.replace(&consumer)?;
        }
        found
    }

    fn found(&self, consumer: &BaseConsumer<News>, at: Offset, wait: Duration) -> Result<Found, LogError> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match consumer.poll(left) {
                Some(Ok(message)) if offset(message.offset()) == at => {
                    return Ok(Found::Record(message.payload().unwrap_or_default().to_vec()));
                }
                Some(Ok(message)) if offset(message.offset()) < at => {}
                Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => return Ok(Found::Nothing),
                Some(Err(error)) if is_outside(&error) => return Ok(Found::Nothing),
                Some(Err(error)) if is_final(&error) => return Err(self.failed(error)),
                Some(Err(_)) => {}
                None => return Ok(Found::Silence),
            }
        }
    }

    fn failed(&self, error: KafkaError) -> LogError {
        failed(&self.topic, error)
    }
}

/// A consumer that reads where it is told to, and nothing else decides where that is.
pub(super) fn consumer(
    config: &KafkaConfig,
    news: News,
    more: impl FnOnce(&mut rdkafka::ClientConfig),
) -> Result<BaseConsumer<News>, LogError> {
    let mut client = config.client();
    client
        // Required of a consumer; nobody joins this group, and of the log nothing is stored in it.
        .set("group.id", "drawdown")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true")
        .set("max.poll.interval.ms", "86400000")
        .set("fetch.queue.backoff.ms", "2")
        .set("fetch.error.backoff.ms", "50");
    more(&mut client);
    client.create_with_context(news).map_err(|error| LogError::Broker(error.into()))
}

/// Reads on at an offset, and forgets what was fetched from elsewhere.
pub(super) fn assign(
    consumer: &BaseConsumer<News>,
    topic: &str,
    partition: Partition,
    at: Offset,
) -> KafkaResult<()> {
    let mut list = TopicPartitionList::new();
    let at = i64::try_from(at.0).unwrap_or(i64::MAX);
    list.add_partition_offset(topic, native(partition), rdkafka::Offset::Offset(at))?;
    consumer.assign(&list)
}

/// Reads on elsewhere in the partition that is read already.
pub(super) fn seek(
    consumer: &BaseConsumer<News>,
    topic: &str,
    partition: Partition,
    at: Offset,
) -> KafkaResult<()> {
    let at = i64::try_from(at.0).unwrap_or(i64::MAX);
    consumer.seek(topic, native(partition), rdkafka::Offset::Offset(at), LOOK)
}

/// What an answer of the broker means to whoever reads or makes the log.
pub(super) fn failed(topic: &str, error: KafkaError) -> LogError {
    if is_missing(&error) {
        LogError::NoTopic { topic: topic.into() }
    } else {
        LogError::Broker(error.into())
    }
}

/// Whether there is no such topic.
pub(super) fn is_missing(error: &KafkaError) -> bool {
    let codes = [
        RDKafkaErrorCode::UnknownTopic,
        RDKafkaErrorCode::UnknownTopicOrPartition,
        RDKafkaErrorCode::UnknownPartition,
    ];
    error.rdkafka_error_code().is_some_and(|code| codes.contains(&code))
}

/// Whether the position is before the first or behind the last record.
pub(super) fn is_outside(error: &KafkaError) -> bool {
    let codes = [RDKafkaErrorCode::AutoOffsetReset, RDKafkaErrorCode::OffsetOutOfRange];
    error.rdkafka_error_code().is_some_and(|code| codes.contains(&code))
}

/// Whether to wait would not help.
pub(super) fn is_final(error: &KafkaError) -> bool {
    let codes = [
        RDKafkaErrorCode::Authentication,
        RDKafkaErrorCode::SaslAuthenticationFailed,
        RDKafkaErrorCode::ClusterAuthorizationFailed,
        RDKafkaErrorCode::TopicAuthorizationFailed,
        RDKafkaErrorCode::InvalidTopic,
    ];
    is_missing(error) || error.rdkafka_error_code().is_some_and(|code| codes.contains(&code))
}

/// A partition as Kafka numbers it; more than it can count there never are.
pub(super) fn native(partition: Partition) -> i32 {
    i32::try_from(partition.0).unwrap_or(i32::MAX)
}

pub(super) fn offset(native: i64) -> Offset {
    Offset(u64::try_from(native).unwrap_or(0))
}
