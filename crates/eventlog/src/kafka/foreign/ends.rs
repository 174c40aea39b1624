//! Looking at the ends of a topic, beside whoever writes it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ledger::{Offset, Partition, Position};
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;

use super::super::blocking;
use super::super::config::KafkaConfig;
use super::super::keeper::{assign, failed, is_final};
use super::super::news::News;
use super::super::renewed::{Asked, Renewed};
use super::super::topic::Topic;
use super::Received;
use super::places::Group;
use super::reader::received;
use crate::LogError;

/// How far before its end a partition's last message is looked for at first: the ends of transactions take offsets too.
const NEAR: u64 = 8;

/// The ends of a topic's partitions: how far each goes, and what stands last in it.
#[derive(Clone)]
pub struct TopicEnds {
    group: Group,
    news: News,
    /// The consumer reads one partition at a time.
    reading: Arc<Mutex<()>>,
}

impl TopicEnds {
    /// Looks at a topic; none is made.
    ///
    /// # Errors
    ///
    /// [`LogError::Config`] if a property cannot be used.
    pub fn new(config: KafkaConfig) -> Result<Self, LogError> {
        let news = News::default();
        let client = Arc::new(Renewed::new(&config, news.clone(), Box::new(|_| {}))?);
        let group = Group { config, name: "drawdown".into(), client };
        Ok(Self { group, news, reading: Arc::default() })
    }

    pub(super) fn group(&self) -> &Group {
        &self.group
    }

    pub(super) fn news(&self) -> &News {
        &self.news
    }

    /// How many partitions the topic has by now.
    ///
    /// # Errors
    ///
    /// [`LogError::NoTopic`], or the broker cannot be reached.
    pub async fn partitions(&self) -> Result<u32, LogError> {
        let group = self.group.clone();
        blocking(move || group.partitions()).await
    }

    /// The most bytes that the topic takes in one batch of messages.
    ///
    /// # Errors
    ///
    /// As [`partitions`](Self::partitions).
    pub async fn largest(&self) -> Result<usize, LogError> {
        Topic::new(&self.group.config, self.news.clone())?.largest().await
    }

    /// The first offset that a partition still has, and the one that its next message gets.
    ///
    /// # Errors
    ///
    /// As [`partitions`](Self::partitions).
    pub async fn bounds(&self, partition: Partition) -> Result<(Offset, Offset), LogError> {
        let group = self.group.clone();
        blocking(move || group.bounds(partition)).await
    }

    /// The last message of a partition; none where there is none any more.
    ///
    /// # Errors
    ///
    /// [`LogError::Silent`] if the broker does not give it, or it cannot be reached.
    pub async fn last(&self, partition: Partition) -> Result<Option<Received>, LogError> {
        let (group, reading) = (self.group.clone(), self.reading.clone());
        blocking(move || {
            let _one = reading.lock().unwrap_or_else(PoisonError::into_inner);
            last(&group, partition)
        })
        .await
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
        let consumer = group.client.consumer()?;
        assign(&consumer, topic, partition, from).map_err(|error| failed(topic, error))?;
        let found = last_from(group, &consumer, Position { partition, offset: from }, end);
        consumer.unassign().map_err(|error| failed(topic, error))?;
        match found? {
            None if from > first => back = back.saturating_mul(8),
            found => return Ok(found),
        }
    }
}

fn last_from(
    group: &Group,
    consumer: &Asked,
    from: Position,
    end: Offset,
) -> Result<Option<Received>, LogError> {
    let (mut found, patience) = (None, group.config.patience);
    let until = Instant::now() + patience;
    loop {
        match consumer.poll(until.saturating_duration_since(Instant::now())) {
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
