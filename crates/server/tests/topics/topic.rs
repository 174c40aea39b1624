//! A topic as a product has it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use eventlog::{
    KafkaConfig, LogError, Received, TopicMessage, TopicReader, TopicReading, TopicWriter, Until,
};
use ledger::Partition;
use tokio::runtime::Runtime;

pub(crate) const PARTITIONS: u32 = 3;

pub(crate) struct Topic {
    pub(crate) broker: String,
    pub(crate) name: String,
    runtime: Runtime,
    writer: TopicWriter,
}

impl Topic {
    pub(crate) fn on(broker: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let name = fresh("usage");
        let making = TopicWriter::open(config(broker, &name), PARTITIONS, 1 << 20);
        let writer = runtime.block_on(making).unwrap();
        Self { broker: broker.into(), name, runtime, writer }
    }

    /// Writes the messages, to one partition after another.
    pub(crate) fn write(&self, messages: impl IntoIterator<Item = TopicMessage>) {
        let partitions = (0..PARTITIONS).map(Partition).cycle();
        let messages: Vec<_> = partitions.zip(messages).collect();
        for messages in messages.chunks(2_000) {
            self.runtime.block_on(self.writer.write(messages)).unwrap();
        }
    }

    /// All that is in another topic of the broker, if there is one by now.
    pub(crate) fn all_of(&self, name: &str) -> Vec<Received> {
        let reading = TopicReading { group: fresh("group"), only: None, until: Until::End };
        self.runtime.block_on(async {
            let mut reader = match TopicReader::open(config(&self.broker, name), reading).await {
                Err(LogError::NoTopic { .. }) => return Vec::new(),
                opened => opened.unwrap(),
            };
            let mut all = Vec::new();
            while let Some(batch) = reader.next().await.unwrap() {
                all.extend(batch.messages);
            }
            all
        })
    }

    /// The dead letters, by the id in their key.
    pub(crate) fn dead_letters(&self) -> BTreeMap<String, Received> {
        let letters = self.all_of(&format!("{}.dead-letters", self.name)).into_iter();
        letters
            .map(|letter| (String::from_utf8(letter.message.key.clone().unwrap()).unwrap(), letter))
            .collect()
    }
}

fn config(broker: &str, name: &str) -> KafkaConfig {
    let config = KafkaConfig::parse(&format!("kafka://{broker}/{name}")).unwrap();
    config.with_patience(Duration::from_secs(60))
}

/// A name that nothing else has.
pub(crate) fn fresh(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let key = RandomState::new().hash_one(what);
    format!("test-{what}-{key:x}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn message(key: &str, headers: &[(&str, &str)], value: Option<&[u8]>) -> TopicMessage {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), Some(value.as_bytes().to_vec())));
    TopicMessage {
        key: Some(key.as_bytes().to_vec()),
        value: value.map(<[u8]>::to_vec),
        headers: headers.collect(),
    }
}
