//! Writing a topic that others read.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ledger::{Offset, Partition, Position};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};

use super::super::blocking;
use super::super::config::KafkaConfig;
use super::super::keeper::{assign, consumer, failed, is_final, native};
use super::super::news::News;
use super::super::topic::{Made, Topic};
use super::places::Group;
use super::reader::received;
use super::{Received, TopicMessage};
use crate::LogError;

/// How far before its end a partition's last message is looked for at first: the ends of transactions take offsets too.
const NEAR: u64 = 8;

/// Writes a topic that others read, which is made if there is none.
pub struct TopicWriter {
    config: KafkaConfig,
    group: Group,
    producer: Mutex<Arc<FutureProducer<News>>>,
    partitions: u32,
}

impl TopicWriter {
    /// Opens the topic; where there is none, makes it with so many partitions, for batches of so many bytes, kept for ever.
    ///
    /// # Errors
    ///
    /// The broker refuses, or cannot be reached.
    pub async fn open(config: KafkaConfig, partitions: u32, largest: usize) -> Result<Self, LogError> {
        let news = News::default();
        let reader = consumer(&config, news.clone(), |_| {})?;
        let group = Group { config: config.clone(), name: "drawdown".into(), consumer: Arc::new(reader) };
        let asking = group.clone();
        let found = blocking(move || match asking.partitions() {
            Err(LogError::NoTopic { .. }) => Ok((None, asking.brokers()?)),
            found => Ok((Some(found?), 0)),
        });
        let found = match found.await? {
            (Some(found), _) => found,
            (None, brokers) => {
                let topic = Topic::new(&config, news.clone())?;
                if topic.make_for(partitions, brokers, largest).await? == Made::Now {
                    tracing::info!(topic = config.topic(), partitions, "made a topic");
                }
                let asking = group.clone();
                blocking(move || known(&asking)).await?
            }
        };
        let producer = Mutex::new(Arc::new(connect(&config)?));
        Ok(Self { config, group, producer, partitions: found })
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> u32 {
        self.partitions
    }

    /// Writes the messages, and returns when all replicas in sync have them. Those of one partition keep their order.
    ///
    /// # Errors
    ///
    /// [`LogError::TooLarge`] of a message that the topic does not take; [`LogError::Unknown`] if some may be there and others not:
    /// to write them again is right where readers know doubles.
    pub async fn write(&self, messages: &[(Partition, TopicMessage)]) -> Result<(), LogError> {
        let producer = self.usable()?;
        let mut answers = Vec::with_capacity(messages.len());
        for (partition, message) in messages {
            answers.push(self.send(&producer, *partition, message));
        }
        let mut failure = None;
        for (answer, (_, message)) in answers.into_iter().zip(messages) {
            let error = match answer {
                Ok(delivery) => match delivery.await {
                    Ok(Ok(_)) => continue,
                    Ok(Err((error, _))) => error,
                    Err(_) => KafkaError::Canceled,
                },
                Err(error) => error,
            };
            failure.get_or_insert_with(|| self.meaning(error, message));
        }
        failure.map_or(Ok(()), Err)
    }

    fn send(
        &self,
        producer: &FutureProducer<News>,
        partition: Partition,
        message: &TopicMessage,
    ) -> Result<rdkafka::producer::DeliveryFuture, KafkaError> {
        let mut record: FutureRecord<'_, [u8], [u8]> =
            FutureRecord::to(self.config.topic()).partition(native(partition));
        record.key = message.key.as_deref();
        record.payload = message.value.as_deref();
        if !message.headers.is_empty() {
            let headers = message.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header { key, value: value.as_deref() })
            });
            record = record.headers(headers);
        }
        producer.send_result(record).map_err(|(error, _)| error)
    }

    fn meaning(&self, error: KafkaError, message: &TopicMessage) -> LogError {
        let code = error.rdkafka_error_code();
        if matches!(code, Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize))
        {
            return LogError::TooLarge { bytes: message.value.as_ref().map_or(0, Vec::len) };
        }
        if is_final(&error) { failed(self.config.topic(), error) } else { LogError::unknown(error) }
    }

    /// The producer, made anew when it has given up.
    fn usable(&self) -> Result<Arc<FutureProducer<News>>, LogError> {
        let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if producer.client().fatal_error().is_some() {
            tracing::warn!(topic = self.config.topic(), "a producer gave up: another one takes its place");
            *producer = Arc::new(connect(&self.config)?);
        }
        Ok(Arc::clone(&producer))
    }

    /// The last message of each partition; none where there is none any more.
    ///
    /// # Errors
    ///
    /// [`LogError::Silent`] if the broker does not give it, or it cannot be reached.
    pub async fn last(&self) -> Result<Vec<Option<Received>>, LogError> {
        let (group, partitions) = (self.group.clone(), self.partitions);
        blocking(move || (0..partitions).map(|partition| last(&group, Partition(partition))).collect()).await
    }
}

/// The last message of a partition: offsets may be missing before its end.
fn last(group: &Group, partition: Partition) -> Result<Option<Received>, LogError> {
    let (first, end) = group.bounds(partition)?;
    let (topic, mut back) = (group.config.topic(), NEAR);
    loop {
        let from = Offset(end.0.saturating_sub(back)).max(first);
        if from >= end {
            return Ok(None);
        }
        assign(&group.consumer, topic, partition, from).map_err(|error| failed(topic, error))?;
        let found = last_from(group, Position { partition, offset: from }, end);
        group.consumer.unassign().map_err(|error| failed(topic, error))?;
        match found? {
            None if from > first => back = back.saturating_mul(8),
            found => return Ok(found),
        }
    }
}

fn last_from(group: &Group, from: Position, end: Offset) -> Result<Option<Received>, LogError> {
    let (mut found, patience) = (None, group.config.patience);
    let until = Instant::now() + patience;
    loop {
        match group.consumer.poll(until.saturating_duration_since(Instant::now())) {
            Some(Ok(message)) => {
                let message = received(&message);
                if message.at.partition != from.partition || message.at.offset < from.offset {
                    continue;
                }
                let is_last = message.at.offset.plus(1) >= end;
                found = Some(message);
                if is_last {
                    return Ok(found);
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(found),
            Some(Err(error)) if is_final(&error) => return Err(failed(group.config.topic(), error)),
            Some(Err(_)) => {}
            None => return Err(LogError::Silent { waited: patience }),
        }
    }
}

/// Waits until a topic that was made is known, and answers how many partitions it has.
fn known(group: &Group) -> Result<u32, LogError> {
    let until = Instant::now() + group.config.patience;
    loop {
        match group.partitions() {
            Err(LogError::NoTopic { .. }) if Instant::now() < until => {
                thread::sleep(Duration::from_millis(20));
            }
            found => return found,
        }
    }
}

fn connect(config: &KafkaConfig) -> Result<FutureProducer<News>, LogError> {
    let mut client = config.client();
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("message.timeout.ms", config.sending.as_millis().to_string())
        // The topic says what it takes.
        .set("message.max.bytes", "1000000000")
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", "2097151");
    client.create_with_context(News::default()).map_err(|error: KafkaError| LogError::Broker(error.into()))
}
