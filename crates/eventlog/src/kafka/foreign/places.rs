//! How far each partition of a topic was read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::{Offset, Partition};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};

use super::super::config::KafkaConfig;
use super::super::keeper::{LOOK, failed, is_missing, native, offset};
use super::super::renewed::{Asked, Renewed};
use crate::LogError;

/// A topic as a group of readers sees it.
#[derive(Clone)]
pub(super) struct Group {
    pub(super) config: KafkaConfig,
    pub(super) name: String,
    pub(super) client: Arc<Renewed>,
}

/// The next offset of each partition.
pub(super) type Places = BTreeMap<Partition, Offset>;

impl Group {
    /// How many partitions the topic has by now.
    pub(super) fn partitions(&self) -> Result<u32, LogError> {
        let topic = self.config.topic();
        let missing = || LogError::NoTopic { topic: topic.into() };
        let metadata = self.client.ask(|consumer| consumer.fetch_metadata(Some(topic), LOOK))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic).ok_or_else(missing)?;
        if let Some(error) = found.error() {
            let error = KafkaError::MetadataFetch(error.into());
            return Err(if is_missing(&error) { missing() } else { LogError::Broker(error.into()) });
        }
        Ok(u32::try_from(found.partitions().len()).unwrap_or(u32::MAX))
    }

    pub(super) fn brokers(&self) -> Result<usize, LogError> {
        Ok(self.client.ask(|consumer| consumer.fetch_metadata(None, LOOK))?.brokers().len())
    }

    /// Where the group goes on in partitions that it begins to read: behind what it committed, else at the beginning.
    pub(super) fn begin(&self, partitions: &BTreeSet<Partition>) -> Result<Places, LogError> {
        let topic = self.config.topic();
        let committed = self.client.ask(|consumer| {
            let mut list = TopicPartitionList::new();
            partitions.iter().for_each(|partition| {
                list.add_partition(topic, native(*partition));
            });
            let committed = consumer.committed_offsets(list, LOOK)?;
            committed.elements().iter().try_for_each(|element| element.error())?;
            Ok(committed)
        })?;
        let mut places = Places::new();
        for partition in partitions {
            let known = committed.find_partition(topic, native(*partition)).map(|element| element.offset());
            let next = match known {
                Some(rdkafka::Offset::Offset(next)) => Some(offset(next)),
                _ => None,
            };
            places.insert(*partition, self.within(*partition, next)?);
        }
        Ok(places)
    }

    /// A place in the partition as it is now: what its topic has forgotten is passed over, and said.
    ///
    /// # Errors
    ///
    /// [`LogError::BeyondEnd`] if the partition ends before: the topic was made anew.
    pub(super) fn within(&self, partition: Partition, next: Option<Offset>) -> Result<Offset, LogError> {
        let (first, end) = self.bounds(partition)?;
        let Some(next) = next else { return Ok(first) };
        if next > end {
            return Err(LogError::BeyondEnd { partition, from: next, end });
        }
        if next < first {
            tracing::error!(
                topic = self.config.topic(),
                partition = partition.0,
                from = next.0,
                to = first.0,
                "the topic has forgotten messages that were not read yet: keep them longer in it, and have them sent again"
            );
        }
        Ok(next.max(first))
    }

    /// The first offset that a partition has, and the one behind its last.
    pub(super) fn bounds(&self, partition: Partition) -> Result<(Offset, Offset), LogError> {
        let (topic, number) = (self.config.topic(), native(partition));
        let (first, end) = self.client.ask(|consumer| consumer.fetch_watermarks(topic, number, LOOK))?;
        Ok((offset(first), offset(end)))
    }

    /// Reads on at these places, and forgets what was fetched and not handed out.
    pub(super) fn read_on(&self, consumer: &Asked, places: &Places) -> Result<(), LogError> {
        let list = self.list(places).map_err(|error| failed(self.config.topic(), error))?;
        consumer.assign(&list).map_err(|error| failed(self.config.topic(), error))
    }

    /// Notes for the group how far was read.
    pub(super) fn note(&self, places: &Places) -> Result<(), LogError> {
        self.client.ask(|consumer| Consumer::commit(consumer, &self.list(places)?, CommitMode::Sync))
    }

    fn list(&self, places: &Places) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for (partition, next) in places {
            let next = rdkafka::Offset::Offset(i64::try_from(next.0).unwrap_or(i64::MAX));
            list.add_partition_offset(self.config.topic(), native(*partition), next)?;
        }
        Ok(list)
    }
}
