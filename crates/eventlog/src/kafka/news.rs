//! What a client of the broker tells beside its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

/// Counts what a connection told of trouble: after each of these the broker may be another one.
#[derive(Clone, Default)]
pub(super) struct News {
    troubles: Arc<AtomicU64>,
}

impl News {
    pub(super) fn troubles(&self) -> u64 {
        self.troubles.load(Ordering::Acquire)
    }

    /// Notes a trouble that is no failure: the client goes on by itself.
    pub(super) fn note(&self, error: &KafkaError) {
        self.troubles.fetch_add(1, Ordering::AcqRel);
        tracing::debug!(%error, "the broker's connection is in trouble");
    }
}

impl ClientContext for News {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, message);
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, _: &str) {
        self.note(&error);
    }
}

impl ConsumerContext for News {}
