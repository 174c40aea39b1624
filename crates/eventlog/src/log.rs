use ledger::{Offset, Partition, Position};

use crate::{Appending, EventLog, KafkaLog, LogError, SqliteLog, Stretch};

/// The log that a program was told to use.
pub enum Log {
    /// In a file.
    Sqlite(SqliteLog),
    /// On a broker.
    Kafka(KafkaLog),
}

impl Log {
    /// Waits for what is under way, and closes the log.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or what was sent did not get to the broker in time.
    pub async fn close(&self) -> Result<(), LogError> {
        match self {
            Self::Sqlite(log) => log.close().await,
            Self::Kafka(log) => log.close().await,
        }
    }
}

impl From<SqliteLog> for Log {
    fn from(log: SqliteLog) -> Self {
        Self::Sqlite(log)
    }
}

impl From<KafkaLog> for Log {
    fn from(log: KafkaLog) -> Self {
        Self::Kafka(log)
    }
}

impl EventLog for Log {
    fn partitions(&self) -> u32 {
        match self {
            Self::Sqlite(log) => log.partitions(),
            Self::Kafka(log) => log.partitions(),
        }
    }

    async fn append(&self, records: Vec<Appending>) -> Result<Vec<Position>, LogError> {
        match self {
            Self::Sqlite(log) => log.append(records).await,
            Self::Kafka(log) => log.append(records).await,
        }
    }

    async fn read(&self, partition: Partition, from: Offset, limit: usize) -> Result<Stretch, LogError> {
        match self {
            Self::Sqlite(log) => log.read(partition, from, limit).await,
            Self::Kafka(log) => log.read(partition, from, limit).await,
        }
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        match self {
            Self::Sqlite(log) => log.end(partition).await,
            Self::Kafka(log) => log.end(partition).await,
        }
    }

    async fn wait(&self, partition: Partition, from: Offset) {
        match self {
            Self::Sqlite(log) => log.wait(partition, from).await,
            Self::Kafka(log) => log.wait(partition, from).await,
        }
    }
}
