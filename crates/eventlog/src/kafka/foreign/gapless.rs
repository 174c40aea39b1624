//! Writing a topic so that what it has of a sequence always is the beginning of it.

use std::time::Duration;

use ledger::{Offset, Partition};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::DeliveryFuture;

use super::super::config::KafkaConfig;
use super::writer::Client;
use super::{TopicEnds, TopicMessage, TopicWriter};
use crate::LogError;

/// How long to wait before a message is tried again for which there was no room.
const ROOM: Duration = Duration::from_millis(5);

/// Writes a topic that others read, with no gap: where a message arrived, all that was written to its partition before it by
/// this writer arrived before it.
///
/// So whoever goes on behind any message of a sequence that the topic has, leaves nothing out, and several who do so at a time
/// make doubles and nothing else. A message has no time-out: a broker that is away is waited for.
pub struct GaplessWriter(TopicWriter);

impl GaplessWriter {
    /// Opens the topic; where there is none, makes it with so many partitions, for batches of so many bytes, kept for ever.
    ///
    /// # Errors
    ///
    /// The broker refuses, or cannot be reached.
    pub async fn open(config: KafkaConfig, partitions: u32, largest: usize) -> Result<Self, LogError> {
        TopicWriter::open_with(config, partitions, largest, settings).await.map(Self)
    }

    /// The topic's ends.
    pub fn ends(&self) -> &TopicEnds {
        self.0.ends()
    }

    /// Writes messages to a partition, in this order, and returns when all replicas in sync have them. Answers the offset of the
    /// first, if nothing of others stands between them and the broker said where they are.
    ///
    /// To stop waiting takes nothing back: they may arrive all the same, the first of them at least.
    ///
    /// # Errors
    ///
    /// [`LogError::TooLarge`] of a message that the topic does not take; [`LogError::Unknown`] if only the first of them may be
    /// there: look what stands last, and go on behind it.
    pub async fn write(
        &self,
        partition: Partition,
        messages: &[TopicMessage],
    ) -> Result<Option<Offset>, LogError> {
        let client = self.0.usable()?;
        let mut answers = Vec::with_capacity(messages.len());
        for message in messages {
            answers.push(self.queue(&client, partition, message).await?);
        }
        let (mut first, mut is_one_run) = (None, true);
        for (n, (answer, message)) in answers.into_iter().zip(messages).enumerate() {
            let delivered = client.delivered(answer).await;
            let delivered = delivered.map_err(|error| self.0.meaning(error, message))?;
            // Of a message that was sent again after its answer got lost, the broker may not say where it is.
            let offset = u64::try_from(delivered.offset).ok().map(Offset);
            first = first.or(offset);
            is_one_run &= offset.is_some() && offset == first.map(|first| first.plus(n));
        }
        Ok(first.filter(|_| is_one_run))
    }

    /// Hands a message over, once there is room: whatever follows it must not be sent without it.
    async fn queue(
        &self,
        client: &Client,
        partition: Partition,
        message: &TopicMessage,
    ) -> Result<DeliveryFuture, LogError> {
        loop {
            if client.is_lost() {
                // Those before it are not sent any more.
                return Err(LogError::unknown(KafkaError::Canceled));
            }
            match self.0.send(client, partition, message) {
                Err(KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)) => {
                    tokio::time::sleep(ROOM).await;
                }
                sent => return sent.map_err(|error| self.0.meaning(error, message)),
            }
        }
    }
}

fn settings(client: &mut ClientConfig, _: &KafkaConfig) {
    client
        .set("enable.gapless.guarantee", "true")
        // A message that timed out while those behind it are sent would be a gap.
        .set("message.timeout.ms", "0")
        .set("linger.ms", "1")
        .set("queue.buffering.max.kbytes", "65536");
}
