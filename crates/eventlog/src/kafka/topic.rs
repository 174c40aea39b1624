//! Making the topic, and looking whether it keeps what it is given.

use std::path::PathBuf;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::config::KafkaConfig;
use super::keeper::failed;
use super::news::News;
use crate::{LogError, MAX_RECORD};

/// What a batch of the largest record takes at most, compressed or not.
const BATCH: usize = 2 * MAX_RECORD;

/// Whether a topic was made by this call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    Now,
    Before,
}

pub(super) struct Topic<'a> {
    config: &'a KafkaConfig,
    admin: AdminClient<News>,
    options: AdminOptions,
}

impl<'a> Topic<'a> {
    pub(super) fn new(config: &'a KafkaConfig, news: News) -> Result<Self, LogError> {
        let admin = config
            .client()
            .create_with_context(news)
            .map_err(|error: KafkaError| LogError::Broker(error.into()))?;
        let options = AdminOptions::new()
            .request_timeout(Some(config.patience))
            .operation_timeout(Some(config.patience));
        Ok(Self { config, admin, options })
    }

    /// Makes the topic, kept for ever, on three brokers where there are as many.
    pub(super) async fn make(&self, partitions: u32, brokers: usize) -> Result<Made, LogError> {
        let name = self.config.topic();
        let exists = || LogError::Exists { path: PathBuf::from(name) };
        let count = i32::try_from(partitions).map_err(|_| exists())?;
        let (copies, acknowledge) = if brokers >= 3 { (3, "2") } else { (1, "1") };
        let batch = BATCH.to_string();
        let topic = NewTopic::new(name, count, TopicReplication::Fixed(copies))
            .set("min.insync.replicas", acknowledge)
            .set("retention.ms", "-1")
            .set("retention.bytes", "-1")
            .set("cleanup.policy", "delete")
            .set("max.message.bytes", &batch)
            .set("compression.type", "producer");
        let made = self.admin.create_topics([&topic], &self.options).await.map_err(|e| failed(name, e))?;
        for answer in made {
            match answer {
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => return Ok(Made::Before),
                Err((_, code)) => return Err(LogError::Broker(KafkaError::Global(code).into())),
                Ok(_) => {}
            }
        }
        if copies == 1 {
            tracing::warn!(
                topic = name,
                brokers,
                "the log is on one broker alone: what its disk loses is lost, so have three brokers, or copies of the disk"
            );
        }
        Ok(Made::Now)
    }

    /// Deletes the topic, and all that was in it.
    pub(super) async fn delete(&self) -> Result<(), LogError> {
        let name = self.config.topic();
        let deleted = self.admin.delete_topics(&[name], &self.options).await;
        for answer in deleted.map_err(|error| failed(name, error))? {
            answer.map_err(|(_, code)| failed(name, KafkaError::Global(code)))?;
        }
        Ok(())
    }

    /// Refuses a topic that would forget records, or not take the largest.
    pub(super) async fn check(&self) -> Result<(), LogError> {
        let name = self.config.topic();
        let described = self.admin.describe_configs(&[ResourceSpecifier::Topic(name)], &self.options).await;
        for resource in described.map_err(|error| failed(name, error))? {
            let resource = resource.map_err(|code| failed(name, KafkaError::Global(code)))?;
            for (setting, needed) in
                [("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "-1")]
            {
                let value = resource.get(setting).and_then(|entry| entry.value.as_deref());
                // A topic that is not there is described without a word.
                let value = value.ok_or_else(|| LogError::NoTopic { topic: name.into() })?;
                if value != needed {
                    return Err(self.wrong(setting, value, needed.into()));
                }
            }
            let setting = "max.message.bytes";
            let value = resource.get(setting).and_then(|entry| entry.value.as_deref()).unwrap_or_default();
            if value.parse::<usize>().is_ok_and(|bytes| bytes < BATCH) {
                return Err(self.wrong(setting, value, BATCH.to_string()));
            }
        }
        Ok(())
    }

    fn wrong(&self, setting: &str, value: &str, needed: String) -> LogError {
        let topic = self.config.topic().to_owned();
        LogError::Setting { topic, setting: setting.into(), value: value.into(), needed }
    }
}
