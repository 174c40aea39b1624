//! A topic of a test's own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use eventlog::{Appending, EventLog, KafkaConfig, KafkaLog, LogError, Stretch};
use ledger::{Offset, Partition};
use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A topic's name on a broker; the topic is deleted when this is dropped.
pub(crate) struct Topic {
    broker: String,
    name: String,
}

impl Topic {
    /// A name on the broker that tests share.
    pub(crate) fn new() -> Self {
        Self::on(services::kafka())
    }

    pub(crate) fn on(broker: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
        let name = format!("test-{now}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { broker: broker.into(), name }
    }

    pub(crate) fn config(&self) -> KafkaConfig {
        let url = format!("kafka://{}/{}", self.broker, self.name);
        KafkaConfig::parse(&url).unwrap().with_patience(PATIENCE)
    }

    pub(crate) async fn create(&self, genesis: &str, partitions: u32) -> Result<KafkaLog, LogError> {
        KafkaLog::create(self.config(), genesis.into(), partitions).await
    }

    pub(crate) async fn open(&self) -> Result<KafkaLog, LogError> {
        KafkaLog::open(self.config()).await
    }

    /// Makes the topic as anybody may, with settings that a log cannot have.
    pub(crate) async fn make(&self, partitions: i32, settings: &[(&str, &str)]) {
        let mut topic = NewTopic::new(&self.name, partitions, TopicReplication::Fixed(1));
        for (setting, value) in settings {
            topic = topic.set(setting, value);
        }
        self.admin().create_topics([&topic], &options()).await.unwrap()[0].as_ref().unwrap();
    }

    pub(crate) async fn set(&self, setting: &str, value: &str) {
        let settings = [
            ("retention.ms", "-1"),
            ("retention.bytes", "-1"),
            ("cleanup.policy", "delete"),
            ("max.message.bytes", "2097152"),
        ];
        let mut change = AlterConfig::new(ResourceSpecifier::Topic(&self.name)).set(setting, value);
        for (other, value) in settings.into_iter().filter(|(other, _)| *other != setting) {
            change = change.set(other, value);
        }
        self.admin().alter_configs([&change], &options()).await.unwrap()[0].as_ref().unwrap();
    }

    pub(crate) async fn setting(&self, setting: &str) -> String {
        let topic = ResourceSpecifier::Topic(&self.name);
        let described = self.admin().describe_configs([&topic], &options()).await.unwrap();
        let entry = described[0].as_ref().unwrap().get(setting).unwrap();
        entry.value.clone().unwrap()
    }

    pub(crate) async fn add_partitions(&self, count: usize) {
        let more = NewPartitions::new(&self.name, count);
        self.admin().create_partitions([&more], &options()).await.unwrap()[0].as_ref().unwrap();
    }

    /// Deletes the records below an offset.
    pub(crate) async fn cut(&self, partition: i32, below: i64) {
        let mut list = rdkafka::TopicPartitionList::new();
        list.add_partition_offset(&self.name, partition, rdkafka::Offset::Offset(below)).unwrap();
        self.admin().delete_records(&list, &options()).await.unwrap();
    }

    /// Deletes the topic, and returns when its name is free again.
    pub(crate) async fn delete(&self) {
        delete(&self.broker, &self.name).await;
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn client(&self) -> ClientConfig {
        client(&self.broker)
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.client().create().unwrap()
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        let (broker, name) = (self.broker.clone(), self.name.clone());
        // A test's own runtime may be ending.
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(delete(&broker, &name));
        });
        let deleted = deleting.join();
        assert!(deleted.is_ok() || std::thread::panicking(), "the topic {} cannot be deleted", self.name);
    }
}

async fn delete(broker: &str, name: &str) {
    let admin: AdminClient<DefaultClientContext> = client(broker).create().unwrap();
    // A topic that is gone already is as good.
    let _ = admin.delete_topics(&[name], &options()).await.unwrap();
}

fn client(broker: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", broker).set("reconnect.backoff.max.ms", "200");
    client
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

pub(crate) fn to(partition: u32, text: impl Into<Vec<u8>>) -> Appending {
    Appending { partition: Partition(partition), bytes: text.into() }
}

pub(crate) fn texts(stretch: &Stretch) -> Vec<String> {
    stretch.iter().map(|(_, record)| String::from_utf8(record.to_vec()).unwrap()).collect()
}

/// Appends some texts to partition 0.
pub(crate) async fn append(log: &KafkaLog, texts: &[&str]) {
    log.append(texts.iter().map(|text| to(0, *text)).collect()).await.unwrap();
}

/// Reads partition 0 from an offset on.
pub(crate) async fn read(log: &KafkaLog, from: u64) -> Result<Vec<String>, LogError> {
    log.read(Partition(0), Offset(from), 1000).await.map(|stretch| texts(&stretch))
}
