//! What a client of the broker tells beside its answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Counts what a connection told of trouble: after each of these the broker may be another one.
#[derive(Clone, Default)]
pub(super) struct News {
    troubles: Arc<AtomicU64>,
}

impl News {
    pub(super) fn troubles(&self) -> u64 {
        self.troubles.load(Ordering::Acquire)
    }
}

impl ClientContext for News {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, message);
    }

    fn stats_raw(&self, _: &[u8]) {}

    fn error(&self, error: KafkaError, _: &str) {
        // A reader that came to the end is no trouble.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF) {
            self.troubles.fetch_add(1, Ordering::AcqRel);
            tracing::debug!(%error, "the broker's connection is in trouble");
        }
    }
}

impl ConsumerContext for News {}
