//! Writing a topic that others read.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ledger::Partition;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::future_producer::Delivery;
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _, PurgeConfig};
use tokio::time::timeout;

use super::super::blocking;
use super::super::config::KafkaConfig;
use super::super::greeting::greet;
use super::super::keeper::{failed, is_final, native};
use super::super::news::{News, STATISTICS};
use super::super::topic::{Made, Topic};
use super::places::Group;
use super::{Received, TopicEnds, TopicMessage};
use crate::LogError;

/// How often whoever waits for an answer looks whether any can come.
const TICK: Duration = Duration::from_millis(250);

/// What a kind of writer sets of its producer.
type Settings = fn(&mut ClientConfig, &KafkaConfig);

/// Writes a topic that others read, which is made if there is none.
pub struct TopicWriter {
    config: KafkaConfig,
    ends: TopicEnds,
    settings: Settings,
    client: Mutex<Client>,
    partitions: u32,
}

/// A producer, and what is told of it.
#[derive(Clone)]
pub(super) struct Client {
    producer: Arc<FutureProducer<News>>,
    news: News,
}

impl TopicWriter {
    /// Opens the topic; where there is none, makes it with so many partitions, for batches of so many bytes, kept for ever.
    ///
    /// # Errors
    ///
    /// The broker refuses, or cannot be reached.
    pub async fn open(config: KafkaConfig, partitions: u32, largest: usize) -> Result<Self, LogError> {
        Self::open_with(config, partitions, largest, settled).await
    }

    pub(super) async fn open_with(
        config: KafkaConfig,
        partitions: u32,
        largest: usize,
        settings: Settings,
    ) -> Result<Self, LogError> {
        greet(&config).await?;
        let ends = TopicEnds::new(config.clone())?;
        let asking = ends.group().clone();
        let found = blocking(move || match asking.partitions() {
            Err(LogError::NoTopic { .. }) => Ok((None, asking.brokers()?)),
            found => Ok((Some(found?), 0)),
        });
        let found = match found.await? {
            (Some(found), _) => found,
            (None, brokers) => {
                let topic = Topic::new(&config, ends.news().clone())?;
                if topic.make_for(partitions, brokers, largest).await? == Made::Now {
                    tracing::info!(topic = config.topic(), partitions, "made a topic");
                }
                let asking = ends.group().clone();
                blocking(move || known(&asking)).await?
            }
        };
        let client = Mutex::new(Client::connect(&config, settings)?);
        Ok(Self { config, ends, settings, client, partitions: found })
    }

    /// The topic's ends.
    pub(super) fn ends(&self) -> &TopicEnds {
        &self.ends
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
        let client = self.usable()?;
        let mut answers = Vec::with_capacity(messages.len());
        for (partition, message) in messages {
            answers.push(self.send(&client, *partition, message));
        }
        let mut failure = None;
        for (answer, (_, message)) in answers.into_iter().zip(messages) {
            let error = match answer {
                Ok(delivery) => match client.delivered(delivery).await {
                    Ok(_) => continue,
                    Err(error) => error,
                },
                Err(error) => error,
            };
            failure.get_or_insert_with(|| self.meaning(error, message));
        }
        failure.map_or(Ok(()), Err)
    }

    pub(super) fn send(
        &self,
        client: &Client,
        partition: Partition,
        message: &TopicMessage,
    ) -> Result<DeliveryFuture, KafkaError> {
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
        client.producer.send_result(record).map_err(|(error, _)| error)
    }

    pub(super) fn meaning(&self, error: KafkaError, message: &TopicMessage) -> LogError {
        let code = error.rdkafka_error_code();
        if matches!(code, Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize))
        {
            return LogError::TooLarge { bytes: message.value.as_ref().map_or(0, Vec::len) };
        }
        if is_final(&error) { failed(self.config.topic(), error) } else { LogError::unknown(error) }
    }

    /// The producer, made anew when it has given up, or knows no broker any more.
    pub(super) fn usable(&self) -> Result<Client, LogError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if client.producer.client().fatal_error().is_some() || client.news.is_lost() {
            tracing::warn!(
                topic = self.config.topic(),
                "a producer does not get on: another one takes its place"
            );
            let lost = std::mem::replace(&mut *client, Client::connect(&self.config, self.settings)?);
            // It takes its time to end.
            thread::spawn(move || drop(lost));
        }
        Ok(client.clone())
    }

    /// The last message of each partition; none where there is none any more.
    ///
    /// # Errors
    ///
    /// As [`TopicEnds::last`].
    pub async fn last(&self) -> Result<Vec<Option<Received>>, LogError> {
        let mut all = Vec::new();
        for partition in (0..self.partitions).map(Partition) {
            all.push(self.ends.last(partition).await?);
        }
        Ok(all)
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

/// What is not acknowledged in time is told to be unknown, and takes up memory until then.
fn settled(client: &mut ClientConfig, config: &KafkaConfig) {
    client
        .set("linger.ms", "5")
        .set("message.timeout.ms", config.sending.as_millis().to_string())
        .set("queue.buffering.max.kbytes", "2097151");
}

impl Client {
    fn connect(config: &KafkaConfig, settings: Settings) -> Result<Self, LogError> {
        let (mut client, news) = (config.client(), News::default());
        client
            .set("enable.idempotence", "true")
            .set(STATISTICS.0, STATISTICS.1)
            .set("acks", "all")
            .set("compression.type", "lz4")
            // The topic says what it takes.
            .set("message.max.bytes", "1000000000")
            .set("queue.buffering.max.messages", "0");
        settings(&mut client, config);
        let producer = client.create_with_context(news.clone());
        let producer = producer.map_err(|error: KafkaError| LogError::Broker(error.into()))?;
        Ok(Self { producer: Arc::new(producer), news })
    }

    /// Whether it knows no broker any more.
    pub(super) fn is_lost(&self) -> bool {
        self.news.is_lost()
    }

    /// Waits for what became of a message. A producer that knows no broker any more sends nothing of what it holds.
    pub(super) async fn delivered(&self, mut delivery: DeliveryFuture) -> Result<Delivery, KafkaError> {
        loop {
            match timeout(TICK, &mut delivery).await {
                Ok(Ok(delivered)) => return delivered.map_err(|(error, _)| error),
                Ok(Err(_)) => return Err(KafkaError::Canceled),
                Err(_) if self.news.is_lost() => {
                    self.producer.purge(PurgeConfig::default().queue().inflight());
                }
                Err(_) => {}
            }
        }
    }
}
