//! Entries and outcomes out of the projections into a Kafka topic, keyed by wallet, for engines that analyse them.
//!
//! What is committed is sent, in the order of the log, at least once. Where to go on is read back from the topic itself
//! (docs/decisions/0030-outbound.md).

mod message;
mod page;
mod sending;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use eventlog::{GaplessWriter, KafkaConfig, MAX_RECORD, TopicEnds};
use ledger::{Offset, Partition};
use store::Projections;
use tokio::task::JoinSet;

use crate::context::Context;
use crate::places::LogPlace;
use crate::stop::Stop;
use page::{Next, Pages};
use sending::{Sending, read_back};

pub(crate) use sending::Others;

/// What a topic must take: an event's data may be as large as a record.
const LARGEST: usize = 2 * MAX_RECORD;

/// Which topic is written.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ToTopicArgs {
    /// Send entries and outcomes to this Kafka topic, kafka://host:port/topic, or by its name alone to one beside the log's; made
    /// if it is not there, with as many partitions as the log
    #[arg(long, value_name = "TOPIC")]
    pub(crate) to_topic: Option<String>,
}

/// Sends what is committed until told to stop; answers how many messages.
///
/// # Errors
///
/// If the topic cannot be used. What fails after that is told, and tried again.
pub(crate) async fn send(
    topic: &str,
    context: &Context,
    (log, partitions): (&str, u32),
    store: &Arc<Projections>,
    others: Others,
    stop: Stop,
) -> anyhow::Result<u64> {
    let config = config_of(topic, context)?;
    let writer = open(config, log, partitions).await.with_context(|| format!("--to-topic {topic}"))?;
    let mut sending = JoinSet::new();
    for partition in (0..partitions).map(Partition) {
        let pages = Pages::new(store.clone(), log.to_owned(), partition);
        let (next, end) = (Next::default(), Offset(0));
        let (log, writer, stop) = (log.to_owned(), writer.clone(), stop.clone());
        sending.spawn(Sending { partition, log, writer, pages, others, stop, next, end, sent: 0 }.run());
    }
    let sent = sending.join_all().await;
    Ok(sent.into_iter().sum())
}

async fn open(config: KafkaConfig, log: &str, partitions: u32) -> anyhow::Result<Arc<GaplessWriter>> {
    let writer = GaplessWriter::open(config, partitions, LARGEST).await?;
    let found = writer.ends().partitions().await?;
    if found != partitions {
        bail!(
            "the topic has {found} partitions and the log {partitions}, and each of the log's goes to its own: name another \
             topic, or delete this one"
        );
    }
    let largest = writer.ends().largest().await?;
    if largest < LARGEST {
        bail!("the topic has max.message.bytes={largest}, less than a message may have: set it to {LARGEST}");
    }
    for partition in (0..partitions).map(Partition) {
        read_back(writer.ends(), partition, log).await?;
    }
    Ok(Arc::new(writer))
}

/// The last record of each partition of which the topic has a message.
///
/// # Errors
///
/// If there is no such topic of this log, or it cannot be read.
pub(crate) async fn reached(
    topic: &str,
    context: &Context,
    (log, partitions): (&str, u32),
) -> anyhow::Result<Vec<Option<Offset>>> {
    let ends = TopicEnds::new(config_of(topic, context)?)?;
    let mut reached = Vec::new();
    for partition in (0..partitions).map(Partition) {
        let place = read_back(&ends, partition, log).await.with_context(|| format!("--to-topic {topic}"))?;
        reached.push(place.0.last());
    }
    Ok(reached)
}

/// The topic's address.
fn config_of(topic: &str, context: &Context) -> anyhow::Result<KafkaConfig> {
    let named = || format!("--to-topic {topic}");
    if !topic.starts_with("kafka://") {
        return match &context.log {
            LogPlace::Kafka(_, config) => config.with_topic(None, topic).with_context(named),
            LogPlace::Directory => {
                bail!("--to-topic needs an address where the log is in a directory: kafka://host:port/topic")
            }
        };
    }
    let config = KafkaConfig::parse(topic).with_context(named)?;
    match &context.kafka_properties {
        Some(file) => {
            config.with_properties_of(file).with_context(|| format!("--kafka-properties {}", file.display()))
        }
        None => Ok(config),
    }
}
